#!/usr/bin/env bash
# What each choice in the training of the spectral encoder gives: one table of losses, molecule head, what comes before
# the measured spectra, and molecules' spaces.
#
#   examples/training/compare.sh POOL WORK_DIR [VAL LIBRARY]
#
# POOL is compressed by xz, WORK_DIR as examples/train_default_model.sh left it. Each row trains 3 epochs on
# WORK_DIR/parts/train.mgf and is measured on the molecules of WORK_DIR/parts/val.mgf, none of them similar to one of
# training: mean over molecules, at the epoch of the best MRR. With VAL (spectra) and LIBRARY (their candidates) the
# spaces are measured on those too, as sb-evaluate does. What is in WORK_DIR/compare already is not made again. The
# table is WORK_DIR/compare/table.tsv.
set -euo pipefail
[ $# -eq 2 ] || [ $# -eq 4 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
pool=$1 work=$2 val=${3:-} library=${4:-}
stages=$(cd "$(dirname "$0")" && pwd)
out=$work/compare
mkdir -p "$out"
losses=(--loss candidate=1 --loss infonce=1 --loss cosine=1)

# model NAME MOLECULES OPTIONS...: train it, unless its history is there
model() {
  [ -e "$out/$1.tsv" ] || sb-finetune "$work/parts/train.mgf" --validation "$work/parts/val.mgf" --molecules "$2" \
    -o "$out/$1.safetensors" --force --resume --history "$out/$1.tsv" --spectra-per-molecule 4 --batch-size 256 \
    --epochs 3 --learning-rate 1e-3 --warmup-share 0.1 --weight-decay 0.3 --peak-dropout 0.4 "${@:3}"
}
new() { model "$1" "$2" --spectral-encoder massbins --dropout 0.4 "${@:3}"; }

# space NAME ENCODER: the molecules in it, without and with a learned head, and what that gives for VAL
space() {
  [ -e "$out/$1.h5" ] || sb-embed-mols "$work/decoys.tsv" --encoder "$2" -o "$out/$1.h5"
  new "$1" "$out/$1.h5" "${losses[@]}"
  new "$1-head" "$out/$1.h5" "${losses[@]}" --molecule-head-depth 1
  [ -n "$val" ] || return 0
  [ -e "$out/$1-library.h5" ] || sb-embed-mols "$library" --encoder "$2" -o "$out/$1-library.h5"
  measure "$1" "$out/$1-library.h5"
  measure "$1-head" "$out/$1-library.h5"
}
measure() {
  [ ! -e "$out/$1-val.tsv" ] || return 0
  sb-build-index "$2" --model "$out/$1.safetensors" -o "$out/$1-index.h5" --force
  sb-query "$val" --index "$out/$1-index.h5" --model "$out/$1.safetensors" --tolerance 10ppm --rerank 0 --top 0 \
    -o "$out/$1-hits.tsv" --force
  sb-evaluate "$out/$1-hits.tsv" --truth "$val" -o "$out/$1-val.tsv"
  rm "$out/$1-index.h5" "$out/$1-hits.tsv"
}
fitted() {
  [ -e "$out/$1.safetensors" ] ||
    xz -dc "$pool" | python "$stages/fit_molecules.py" "$out/$1.safetensors" --sample 100000 "${@:2}"
}

# losses, beside all three in space-morgan-512
new loss-cosine "$work/molecules.h5" --loss cosine=1
new loss-infonce "$work/molecules.h5" --loss infonce=1
new loss-candidate "$work/molecules.h5" --loss candidate=1
# molecule head, beside none in space-morgan-512 and one block in space-morgan-512-head
new head-2 "$work/molecules.h5" "${losses[@]}" --molecule-head-depth 2
# what comes before the measured spectra
[ -e "$out/masked.safetensors" ] ||
  python "$stages/masked_peaks.py" "$work/parts/train.mgf" "$work/molecules.h5" -o "$out/masked.safetensors"
model masked-first "$work/molecules.h5" --start-from "$out/masked.safetensors" "${losses[@]}"
model simulated-first "$work/molecules.h5" --start-from "$work/pretrained.safetensors" "${losses[@]}"
# spaces
fitted morgan-128 --dimension 128
fitted morgan-1024 --dimension 1024
fitted morgan-counts-512 --counts
[ -e "$out/smiles/config.json" ] ||
  python "$stages/train_smiles_encoder.py" "$work/molecules.h5" -o "$out/smiles" --exclude "$work/excluded.txt" --bfloat16
[ -e "$out/space-morgan-512.h5" ] || ln -s ../molecules.h5 "$out/space-morgan-512.h5"
space space-morgan-512 "morgan:file=$work/molecules.safetensors"
space space-morgan-128 "morgan:file=$out/morgan-128.safetensors"
space space-morgan-1024 "morgan:file=$out/morgan-1024.safetensors"
space space-morgan-counts-512 "morgan:file=$out/morgan-counts-512.safetensors"
space space-random-signs-512 morgan:dimension=512
space space-smiles "chemberta:$out/smiles,pooling=mean"

# the table: the best epoch of each, and recall on VAL
best() { awk -F '\t' 'NR > 1 && $6 >= best { best = $6; row = $3 "\t" $4 "\t" $5 "\t" $6 } END { print row }' "$1"; }
of_val() {
  [ ! -e "$1" ] || awk -F '\t' '$1 == "all" && $2 == "score" && $4 == "spectra" && $3 ~ /^(recall|mrr)/ {
    printf "\t%s", $5 }' "$1"
}
{
  printf 'row\trecall@1\trecall@5\trecall@20\tmrr\tval_recall@1\tval_recall@5\tval_recall@20\tval_mrr\n'
  for history in "$out"/*.tsv; do
    name=$(basename "$history" .tsv)
    case $name in table | *-val) continue ;; esac
    printf '%s\t%s%s\n' "$name" "$(best "$history")" "$(of_val "$out/$name-val.tsv")"
  done
} >"$out/table.tsv.part"
mv "$out/table.tsv.part" "$out/table.tsv"
cat "$out/table.tsv"
