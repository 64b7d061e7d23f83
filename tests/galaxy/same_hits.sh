#!/usr/bin/env bash
# same_hits.sh: the hits of the identify workflow, run in the Galaxy at GALAXY_URL, are what the same commands write in a
# shell. SPECBRIDGE_GALAXY_TOOLS names the environment of the commands, as for run.sh.
set -euo pipefail
suite=$(cd "$(dirname "$0")/../../galaxy_wrappers" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bin=$SPECBRIDGE_GALAXY_TOOLS/bin
cd "$scratch"

cat >job.yml <<YAML
Molecules: {class: File, location: $suite/test-data/molecules.tsv, filetype: tabular}
Spectra:
  class: Collection
  collection_type: list
  elements:
YAML
"$bin/sb-embed-mols" "$suite/test-data/molecules.tsv" -o - | "$bin/sb-build-index" - -o index.h5
for name in train empty spectra; do
    echo "  - {class: File, identifier: $name, location: $suite/test-data/$name.mgf, filetype: mgf}" >>job.yml
    "$bin/sb-query" "$suite/test-data/$name.mgf" --index index.h5 --threads 1 \
        --allow-empty -o "$name.tsv"
done
"$bin/sb-merge" train.tsv empty.tsv spectra.tsv -o shell.tsv

planemo --directory workspace run --engine external_galaxy --galaxy_url "$GALAXY_URL" --galaxy_admin_key "$GALAXY_KEY" --no_shed_install --no_use_cache \
    --download_outputs --output_directory outputs --output_json outputs.json "$suite/workflows/identify.gxwf.yml" job.yml
galaxy=$(python -c 'import json; print(json.load(open("outputs.json"))["Hits"]["path"])')

top_hits() { awk -F '\t' '$2 == 1 {print $1, $8}' "$1"; }
diff <(top_hits shell.tsv) <(top_hits "$galaxy") || { echo "Galaxy and shell name other molecules" >&2; exit 1; }
cmp shell.tsv "$galaxy"
echo "the hits of $(top_hits shell.tsv | wc -l) spectra are the same in Galaxy and in a shell"
