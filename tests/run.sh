#!/usr/bin/env bash
# tests/run.sh [PYTEST OPTIONS]: make the environment of the tests, or bring it up to date, and run them.
# Without options every test runs; tests/run.sh -m "not slow" is the quick suite.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
environment=${SPECBRIDGE_TEST_VENV:-$root/.venv-tests}
# hnswlib is compiled; without a compiler the tests of graphs are skipped
extras=test,lint,ivf
command -v c++ >/dev/null && extras=$extras,graph
wanted=$(cat "$root/pyproject.toml" "$root/specbridge_tools/__init__.py" | cksum)
if [ "$(cat "$environment/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "installing into $environment" >&2
    "$root/examples/environment.sh" "$environment" --editable "${root}[$extras]"
    echo "$wanted" >"$environment/installed"
fi
# each process would compile torch anew
unset PYTHONDONTWRITEBYTECODE
[ $# -gt 0 ] || set -- -m ""
cd "$root"
exec "$environment/bin/python" -m pytest --numprocesses auto --dist worksteal "$@"
