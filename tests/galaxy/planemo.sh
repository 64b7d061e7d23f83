#!/usr/bin/env bash
# planemo.sh FILE...: test tools, then workflows, in the Galaxy at GALAXY_URL, then run scripts (.sh, .py) that test in it; every
# failure is shown, the last sets the status.
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

# planemo takes either tools or workflows in one call
check() {
    local name=$1
    shift
    [ $# -gt 0 ] || return 0
    planemo --directory "$reports/workspace" test --engine external_galaxy --galaxy_url "$GALAXY_URL" --galaxy_admin_key "$GALAXY_KEY" \
        --no_shed_install --test_timeout 600 --test_output "$name.html" --test_output_json "$name.json" --test_output_xunit "$name.junit.xml" "$@"
}
status=0
check tools "${tools[@]}" || status=$?
check workflows "${workflows[@]}" || status=$?
for script in "${scripts[@]}"; do
    "$script" || status=$?
done
[ $status = 0 ] || echo "reports are in $reports" >&2
exit $status
