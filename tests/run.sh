#!/usr/bin/env bash
# tests/run.sh [PYTEST OPTIONS]: make the environment of the tests, or bring it up to date, and run them.
# Without options every test runs; tests/run.sh -m "not slow" is the quick suite.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
environment=${SPECBRIDGE_TEST_VENV:-$root/.venv-tests}
wanted=$(cat "$root/setup.py" "$root/pyproject.toml" "$root/specbridge_tools/__init__.py" | cksum)
if [ "$(cat "$environment/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "installing into $environment" >&2
    "$root/environment.sh" "$environment" --editable "${root}[test,lint]"
    echo "$wanted" >"$environment/installed"
fi
[ $# -gt 0 ] || set -- -m "" --numprocesses auto --dist worksteal
cd "$root"
exec "$environment/bin/python" -m pytest "$@"
