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
    "$package/environment.sh" "$environment" "${package}[plot]"
    PATH=$environment/bin:$PATH
fi
mkdir -p "$out"

show() {
    echo "\$ $*"
    "$@"
}
SECONDS=0
show sb-embed-mols "$examples/molecules.tsv" -o "$out/molecules.h5" --force
show sb-build-index "$out/molecules.h5" -o "$out/index.h5" --force
show sb-query "$examples/spectra.mgf" --index "$out/index.h5" -o "$out/hits.tsv" --top 0 --force
show sb-evaluate "$out/hits.tsv" --truth "$examples/spectra.mgf" --table 20 -o "$out/metrics.tsv" --force
echo "Done in $SECONDS s: $(wc -l <"$out/hits.tsv") rows in $out/hits.tsv, metrics in $out/metrics.tsv"
