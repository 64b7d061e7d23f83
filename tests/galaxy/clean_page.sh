#!/usr/bin/env bash
# clean_page.sh: the page of sb-report, cleaned as the server cleans pages of tools, has all its words and no scripts.
# SPECBRIDGE_GALAXY_TOOLS names the environment of the commands; the python on the PATH is that of the server.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../../galaxy_wrappers/test-data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$SPECBRIDGE_GALAXY_TOOLS/bin/sb-report" "$data/hits.tsv" --spectra "$data/spectra.mgf" --truth "$data/spectra.mgf" -o "$scratch/page.html"
python "$here/clean_page.py" "$scratch/page.html"
