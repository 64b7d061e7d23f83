#!/usr/bin/env bash
# The accuracy of a model, in tables: those of the model card.
#
#   examples/training/measure_model.sh VAL LIBRARY KNOWN WORK_DIR [MODEL]
#
# VAL       spectra with structures that no model, and no reference spectrum, has seen
# LIBRARY   table of molecules that holds those of VAL, among others
# KNOWN     spectra of molecules that are in the reference spectra, by other laboratories; searched in the library that
#           ships
# WORK_DIR  hits, metrics, and tables.md, which is printed as well; what is there is not made again
# MODEL     default: the one that ships
#
# Nothing is fitted to any of these spectra.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
val=$1 library=$2 known=$3 work=$4
model=(); [ -z "${5:-}" ] || model=(--model "$5")
stages=$(cd "$(dirname "$0")" && pwd)
field=COMPOUND_ION together=(--group-by "$field")
mkdir -p "$work"

few() {
  [ -e "$work/$2" ] ||
    { python "$stages/few_spectra.py" "$1" --each "$3" > "$work/$2.part" && mv "$work/$2.part" "$work/$2"; }
}
# ask NAME SPECTRA EVALUATION QUERY...: hits and metrics; EVALUATION is in both
ask() {
  [ ! -e "$work/$1.metrics.tsv" ] || return 0
  local given=(); [ -z "$3" ] || read -ra given <<< "$3"
  sb-query "$2" "${model[@]}" --top 0 -o "$work/$1.tsv" --force "${given[@]}" "${@:4}"
  sb-evaluate "$work/$1.tsv" --truth "$2" -o "$work/$1.metrics.tsv" "${given[@]}"
}

few "$val" all.mgf 1000000    # each with the field that groups are made by
few "$val" two.mgf 2
few "$val" three.mgf 3
few "$known" known_three.mgf 3
[ -e "$work/molecules.h5" ] || sb-embed-mols "$library" -o "$work/molecules.h5"
[ -e "$work/index.h5" ] || sb-build-index "$work/molecules.h5" "${model[@]}" -o "$work/index.h5"

searched=(--index "$work/index.h5" --mode mass --tolerance 10ppm)
ask cosine "$val" "" "${searched[@]}" --rerank 0
ask fifty "$val" "" "${searched[@]}" --rerank 50 --reference none
ask default "$val" "" "${searched[@]}"
ask groups_cosine "$work/all.mgf" "${together[*]}" "${searched[@]}" --rerank 0
ask groups_fifty "$work/all.mgf" "${together[*]}" "${searched[@]}" --rerank 50 --reference none
ask groups "$work/all.mgf" "${together[*]}" "${searched[@]}"
ask known_none "$known" "" --reference none
ask known "$known" ""

# rows LABEL NAME: of known molecules, by what the reference has of them
rows() {
  local of="$work/$2.metrics.tsv"
  kinds=("all: $1=$of" "the same ion measured: $1=$of,score,reference=same_ion"
    "the same polarity, another ion: $1=$of,score,reference=same_polarity"
    "the other polarity: $1=$of,score,reference=other_polarity")
}
tables() {
  local shown="all re-ranked, with reference spectra: the default" fifty="the 50 first re-ranked, no reference spectra"
  python "$stages/metrics_table.py" "spectra of unknown molecules" "random=$work/cosine.metrics.tsv,random" \
    "spectrum-blind=$work/cosine.metrics.tsv,spectrum_blind" "mass-only=$work/cosine.metrics.tsv,mass_only" \
    "cosine alone=$work/cosine.metrics.tsv" "$fifty=$work/fifty.metrics.tsv" "$shown=$work/default.metrics.tsv"
  python "$stages/metrics_table.py" "all spectra of a compound and adduct together" \
    "cosine alone=$work/groups_cosine.metrics.tsv" "$fifty=$work/groups_fifty.metrics.tsv" \
    "$shown=$work/groups.metrics.tsv"
  rows "no reference spectra" known_none; local kinds_none=("${kinds[@]}"); rows "the default" known
  python "$stages/metrics_table.py" "spectra of known molecules" "${kinds_none[@]}" "${kinds[@]}"
  python "$stages/measure_evidence.py" "${model[@]}" --set "unknown" "$work/two.mgf" "$work/index.h5" - \
    --set "unknown groups" "$work/three.mgf" "$work/index.h5" "$field" --set "known" "$known" - - \
    --set "known groups" "$work/known_three.mgf" - "$field" --set "examples" "$stages/../spectra.mgf" - -
}
tables > "$work/tables.md.part"
mv "$work/tables.md.part" "$work/tables.md"
cat "$work/tables.md"
