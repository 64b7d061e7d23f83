#!/usr/bin/env bash
# run.sh [PYTEST OPTIONS]: install Chromium and look at the page of sb-report with it. Needs Debian or Ubuntu, and root where
# there is no Chromium yet. SPECBRIDGE_TEST_VENV names the environment, as in tests/run.sh; SPECBRIDGE_SCREENSHOTS the folder
# where pictures of the page are kept (screenshots).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
environment=${SPECBRIDGE_TEST_VENV:-$root/.venv-tests}
if ! command -v chromium >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
[ -x "$environment/bin/sb-report" ] || "$root/tests/run.sh" --collect-only -q >/dev/null
export SPECBRIDGE_BROWSER=1 SPECBRIDGE_SCREENSHOTS=${SPECBRIDGE_SCREENSHOTS:-$root/screenshots}
cd "$root"
"$environment/bin/python" -m pytest -m "" --numprocesses 0 -p no:cacheprovider tests/browser "$@"
ls -s "$SPECBRIDGE_SCREENSHOTS"
