#!/usr/bin/env bash
# quickstart.sh [FOLDER]: name the molecules behind the real spectra beside this script; results go to FOLDER.
#
# Makes the virtual environment .venv beside the package and installs the package into it; SPECBRIDGE_VENV names another
# environment. With SPECBRIDGE_INSTALLED=1 nothing is installed: the sb-* commands on the PATH are used.
set -euo pipefail
examples=$(cd "$(dirname "$0")" && pwd)
package=$(dirname "$examples")
out=${1:-specbridge-quickstart}

if [ "${SPECBRIDGE_INSTALLED:-}" != 1 ]; then
    environment=${SPECBRIDGE_VENV:-$package/.venv}
    echo "Installing specbridge_tools into $environment (some minutes, once)"
    "$examples/environment.sh" "$environment" "${package}[plot]"
    PATH=$environment/bin:$PATH
fi
mkdir -p "$out"

show() {
    echo "\$ $*"
    "$@"
}
SECONDS=0
echo "Among the known molecules that ship with the package; their index is built once, at its first use:"
show sb-query "$examples/spectra.mgf" -o "$out/library_hits.tsv" --top 0 --force
show sb-report "$out/library_hits.tsv" --spectra "$examples/spectra.mgf" -o "$out/library_hits.html" --force
show sb-evaluate "$out/library_hits.tsv" --truth "$examples/spectra.mgf" -o "$out/metrics_library.tsv" --show 20 --quiet --force
echo
echo "Among molecules of your own, here 24,000:"
if [ ! -e "$out/index.h5" ]; then
    show sb-embed-mols "$examples/molecules.tsv" -o "$out/molecules.h5" --force
    show sb-build-index "$out/molecules.h5" -o "$out/index.h5"
fi
show sb-query "$examples/spectra.mgf" --index "$out/index.h5" -o "$out/hits.tsv" --top 0 --force
show sb-evaluate "$out/hits.tsv" --truth "$examples/spectra.mgf" -o "$out/metrics.tsv" --show 20 --quiet --force
echo
echo "Done in $SECONDS s. Candidates of every spectrum: $out/library_hits.html and $out/library_hits.tsv, $out/hits.tsv;"
echo "all metrics: $out/metrics_library.tsv, $out/metrics.tsv"
