#!/usr/bin/env bash
# What more molecules to learn from bring: encoder and network of fragments trained on 25, 50 and 100 % of them.
#
#   examples/training/learning_curve.sh POOL WORK_DIR
#
# POOL and WORK_DIR as examples/train_default_model.sh takes and left them: of WORK_DIR/parts/train.mgf a share of the
# molecules, measured on those of WORK_DIR/parts/val.mgf, none of them similar to one of training. Encoders are trained
# for as many steps each and count at their best epoch; the first network of fragments for EPOCHS (8) on all molecules,
# and 1.75 and 2.5 times as many on fewer. What is in WORK_DIR/curve already is not made again; the table is printed.
# THREADS: default all.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
pool=$1 work=$2
stages=$(cd "$(dirname "$0")" && pwd)
out=$work/curve epochs=${EPOCHS:-8}
threads=(); [ -z "${THREADS:-}" ] || threads=(--threads "$THREADS")
mkdir -p "$out"

# learn PERCENT EPOCHS_OF_ENCODER EPOCHS_OF_NETWORK
learn() {
  local part=$out/$1.mgf
  [ -e "$part" ] || { python "$stages/few_spectra.py" "$work/parts/train.mgf" --each 1000000 \
    --share "$(awk "BEGIN { print $1 / 100 }")" > "$part.part" && mv "$part.part" "$part"; }
  [ -e "$out/$1.safetensors" ] || sb-finetune "$part" --validation "$work/parts/val.mgf" \
    --molecules "$work/molecules.h5" -o "$out/$1.safetensors" --history "$out/$1.tsv" --force --resume \
    --batch-size 256 --loss candidate=1 --loss infonce=1 --loss cosine=1 --warmup-share 0.1 --dropout 0.4 \
    --spectra-per-molecule 4 --learning-rate 5e-4 --weight-decay 0.3 --peak-dropout 0.4 --epochs "$2" --seed 0 \
    "${threads[@]}"
  [ -e "$out/$1/first.safetensors" ] ||
    python "$stages/first_network.py" "$part" "$work/index.h5" "$out/$1" --epochs "$3" "${threads[@]}"
}
learn 25 32 $((5 * epochs / 2))
learn 50 16 $((7 * epochs / 4))
learn 100 8 "$epochs"

python "$stages/structures_of_spectra.py" "$work/parts/val.mgf" | tail -n +2 | cut -f 1 > "$out/held_back.txt"
[ -e "$out/fragments.txt" ] || { python "$stages/compare_rankers.py" "$work/parts/val.mgf" "$pool" \
  --held-back "$out/held_back.txt" "$out"/{25,50,100}/first.safetensors > "$out/fragments.txt.part" &&
  mv "$out/fragments.txt.part" "$out/fragments.txt"; }
best() { awk -F '\t' 'NR > 1 && $6 >= best { best = $6; row = sprintf("%.1f / %.1f / %.1f", 100 * $3, 100 * $4, 100 * $5) }
  END { print row }' "$1"; }
printf '| molecules | spectra | cosine: recall@1 / 5 / 20 | fragments: recall@1 / 5 / 20 |\n| --- | --- | --- | --- |\n'
for percent in 25 50 100; do
  printf '| %s | %s | %s | %s |\n' \
    "$(sed -n 's/^COMPOUND_ION=\([A-Z]*\) .*/\1/p' "$out/$percent.mgf" | sort -u | wc -l)" \
    "$(grep -c '^BEGIN IONS' "$out/$percent.mgf")" "$(best "$out/$percent.tsv")" \
    "$(sed -n "s|^$out/$percent/first.safetensors: R@1 / 5 / 20 \(.*\), -log p.*|\1|p" "$out/fragments.txt")"
done
