#!/usr/bin/env bash
# run.sh [PYTEST OPTIONS]: install Slurm and GNU parallel, run the templates of examples/cluster/ end to end and every fault.
# Needs Debian or Ubuntu, and root for Slurm. SPECBRIDGE_TEST_VENV names the environment, as in tests/run.sh.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
environment=${SPECBRIDGE_TEST_VENV:-$root/.venv-tests}
if ! command -v slurmctld slurmd parallel >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends slurm-wlm parallel >/dev/null
fi
[ -x "$environment/bin/sb-query" ] || "$root/tests/run.sh" --collect-only -q >/dev/null
# Snakemake has requirements of its own: an environment of its own, whose command alone is on the PATH
if [ ! -x "$environment/snakemake/bin/snakemake" ]; then
    "$root/examples/environment.sh" "$environment/snakemake" snakemake snakemake-executor-plugin-slurm
fi
ln -sf ../snakemake/bin/snakemake "$environment/bin/snakemake"
export PATH=$environment/bin:/usr/sbin:$PATH SPECBRIDGE_HPC=1
cd "$root"
exec "$environment/bin/python" -m pytest -m "" --numprocesses 0 -p no:cacheprovider tests/hpc "$@"
