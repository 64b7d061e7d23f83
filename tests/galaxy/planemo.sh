#!/usr/bin/env bash
# planemo.sh FILE...: test tools and workflows at once in the Galaxy at GALAXY_URL, then run scripts (.sh, .py) that test in it;
# every failure is shown, the last sets the status.
set -euo pipefail
reports=${SPECBRIDGE_GALAXY_REPORTS:-$(mktemp -d)}
mkdir -p "$reports"
tools=() workflows=() scripts=()
for file in "$@"; do
    case $file in
    *.xml) tools+=("$(realpath "$file")") ;;
    *.sh | *.py) scripts+=("$(realpath "$file")") ;;
    *) workflows+=("$(realpath "$file")") ;;
    esac
done
cd "$reports"

# a call of planemo without a key makes one, which ends that of the calls that run already
key=$(python - "$GALAXY_URL" "$GALAXY_KEY" <<'PYTHON'
import sys
from bioblend.galaxy import GalaxyInstance
from planemo.galaxy.api import user_api_key

print(user_api_key(GalaxyInstance(sys.argv[1], key=sys.argv[2])))
PYTHON
)

# planemo takes either tools or workflows in one call; calls that run at once need a workspace each
check() {
    local name=$1
    shift
    [ $# -gt 0 ] || return 0
    planemo --directory "$reports/workspace-$name" test --engine external_galaxy --galaxy_url "$GALAXY_URL" --galaxy_admin_key "$GALAXY_KEY" \
        --galaxy_user_key "$key" --no_shed_install --test_timeout 600 --test_output "$name.html" --test_output_json "$name.json" --test_output_xunit "$name.junit.xml" "$@"
}
# a test mostly waits, for an upload, for a job, for the next look at it: the tools are shared out among several calls
calls=3 status=0 running=()
for ((n = 0; n < calls; n++)); do
    files=()
    for ((i = n; i < ${#tools[@]}; i += calls)); do files+=("${tools[i]}"); done
    check "tools-$n" "${files[@]}" >"tools-$n.log" 2>&1 &
    running+=($!)
done
check workflows "${workflows[@]}" || status=$?
for n in "${!running[@]}"; do
    wait "${running[n]}" || status=$?
    cat "tools-$n.log"
done
for script in "${scripts[@]}"; do
    "$script" || status=$?
done
[ $status = 0 ] || echo "reports are in $reports" >&2
exit $status
