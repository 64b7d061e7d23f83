#!/usr/bin/env bash
# tests/galaxy/run.sh [FILE...]: lint the Galaxy wrappers, workflows and tour, and run their tests in a real Galaxy server.
# With FILEs (tools, workflows, same_hits.sh, displayed_page.py) only their tests. tests/galaxy/run.sh serve: a server to look at.
# Environments are made under SPECBRIDGE_GALAXY_VENVS (.venv-galaxy), and used again while the pins are the same.
# SPECBRIDGE_GALAXY_TOOLS names an environment that has the package already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
suite=$root/galaxy_wrappers
venvs=${SPECBRIDGE_GALAXY_VENVS:-$root/.venv-galaxy}
step() { printf '\n== %s (after %s s)\n' "$1" "$SECONDS"; }

# environment NAME STAMP REQUIREMENT...: as it is where STAMP is that of its making
environment() {
    local folder=$venvs/$1 stamp=$2
    shift 2
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$stamp" ] && return
    rm -rf "$folder"
    mkdir -p "$venvs"
    "$root/examples/environment.sh" "$folder" "$@"
    echo "$stamp" >"$folder/installed"
}

step "environments"
environment server "$(cksum <"$here/requirements.txt")" --requirement "$here/requirements.txt"
if [ -z "${SPECBRIDGE_GALAXY_TOOLS:-}" ]; then
    environment tools "$(cat "$root/pyproject.toml" "$root/specbridge_tools/__init__.py" | cksum)" --editable "$root[plot,graph,ivf]"
    SPECBRIDGE_GALAXY_TOOLS=$venvs/tools
fi
export SPECBRIDGE_GALAXY_TOOLS
PATH=$venvs/server/bin:$PATH
serve=("$venvs/server/bin/python" "$here/server.py" --tools "$SPECBRIDGE_GALAXY_TOOLS/bin" --suite "$suite")

if [ "${1:-}" = serve ]; then
    step "serving until it is interrupted"
    exec "${serve[@]}" --port "${PORT:-8080}" -- sleep infinity
fi
if [ $# = 0 ]; then
    step "lint"
    "$here/lint.sh"
    set -- "$suite"/specbridge_*.xml "$suite"/workflows/*.gxwf.yml "$here"/workflows/*.gxwf.yml "$here/same_hits.sh" "$here/displayed_page.py"
fi
step "tests in Galaxy"
"${serve[@]}" -- "$here/planemo.sh" "$@"
step "done"
