#!/usr/bin/env bash
# lint.sh: every check that needs no server; warnings are failures. BioToolsValid asks a server on the network.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root/galaxy_wrappers"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# with --tools it lints each tool as `planemo lint` does
planemo --directory "$scratch/workspace" shed_lint --tools --report_level warn --fail_level warn --skip version_bumped,BioToolsValid .
for workflow in workflows/*.gxwf.yml; do
    planemo --directory "$scratch/workspace" workflow_lint --report_level warn --fail_level warn "$workflow"
    gxwf-lint "$workflow"
    # the export is what Galaxy's own pages import: it must say the same, but for ids that are drawn anew each time
    gxwf-to-native "$workflow" "$scratch/exported.ga"
    diff <(grep -v '"uuid":' "$scratch/exported.ga") <(grep -v '"uuid":' "${workflow%.gxwf.yml}.ga")
done
for tests in workflows/*-tests.yml "$root"/tests/galaxy/workflows/*-tests.yml; do
    validate-test-format "$tests"
done
# its warnings have status 0
gx-validate-tours tours 2>&1 | tee "$scratch/tours"
! grep -i warning "$scratch/tours"
