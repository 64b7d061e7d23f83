#!/usr/bin/env bash
# Make the weights that ship, stage by stage, from public spectra and molecules.
#
#   examples/train_default_model.sh SPECTRA POOL WORK_DIR
#
# SPECTRA   MGF of training spectra with SMILES, plain or gzip
# POOL      TSV of canonical molecules with the columns inchikey14, smiles and exact_mass, plain, .gz or .xz
# WORK_DIR  intermediate files and the result; a stage whose output lies there is not run again, a training that was
#           interrupted goes on from its last epoch
#
# Result: WORK_DIR/molecules.safetensors and final.safetensors. Copied to specbridge_tools/pretrained, the latter as
# model.safetensors, they are the default weights. final is model.safetensors, of which some molecules were held back to
# fit weights and probabilities to, with its networks trained once more on all molecules. Environment: THREADS (default:
# all), HELD_BACK (a file of the InChIKey blocks of the molecules to hold back, such as those in the header of the model
# that ships; default: a tenth is drawn by structure), EXCLUDE (spectra whose molecules are never simulated, e.g. those
# the result will be measured on), FROM (a model of an earlier run that held back the same molecules: its network of
# fragments is trained further, in place of four new ones), and to try it out with less: EPOCHS of the encoder (8, and 4
# on all molecules), FRAGMENT_EPOCHS (14, with FROM 7), and SIMULATED, how many molecules are simulated (200000).
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2; }
spectra=$1 pool=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
stages=$here/training
threads=(); [ -z "${THREADS:-}" ] || threads=(--threads "$THREADS")
mkdir -p "$work"

plain() { case $1 in *.xz) xz -dc "$1" ;; *.gz) gzip -dc "$1" ;; *) cat "$1" ;; esac; }
# stage OUTPUT COMMAND...: run the command unless its output is there
stage() { if [ -e "$1" ]; then echo "have $1" >&2; else echo "make $1" >&2; "${@:2}"; fi; }
# to OUTPUT COMMAND...: the command's stdout becomes the file, whole or not at all
to() { "${@:2}" > "$1.part" && mv "$1.part" "$1"; }

fit_molecules() { plain "$pool" | python "$stages/fit_molecules.py" "$work/molecules.safetensors" --sample 100000; }
select_decoys() { plain "$pool" | python "$stages/select_decoys.py" "$work/structures.tsv"; }
split() {
  if [ -n "${HELD_BACK:-}" ]; then python "$stages/hold_back.py" "$spectra" "$HELD_BACK" "$work/parts"
  else sb-split "$spectra" --by structure --fractions 0.9,0.1 -o "$work/parts/" --force; fi
}
excluded() { python "$stages/structures_of_spectra.py" "$work/parts/val.mgf" ${EXCLUDE:+"$EXCLUDE"} | tail -n +2 | cut -f 1; }

# the molecules' space, and the molecules in it
stage "$work/molecules.safetensors" fit_molecules
encoder=morgan:file=$work/molecules.safetensors
stage "$work/parts/val.mgf" split
stage "$work/structures.tsv" to "$work/structures.tsv" python "$stages/structures_of_spectra.py" "$spectra"
stage "$work/decoys.tsv" to "$work/decoys.tsv" select_decoys
stage "$work/molecules.h5" sb-embed-mols "$work/decoys.tsv" -o "$work/molecules.h5" --encoder "$encoder" "${threads[@]}"
stage "$work/index.h5" sb-build-index "$work/molecules.h5" -o "$work/index.h5"
stage "$work/reference.h5" sb-build-reference "$spectra" -o "$work/reference.h5" --encoder "$encoder"

# the spectral encoder and the bridge; the network of fragments, the weights of all evidence, and probabilities
bridge() { sb-finetune "${@:2}" --molecules "$work/molecules.h5" -o "$1" --resume --history "${1%.safetensors}.tsv" \
  --force --batch-size 256 --loss candidate=1 --loss infonce=1 --loss cosine=1 --warmup-share 0.1 --seed 0 \
  "${threads[@]}"; }
parts=("$work/parts/train.mgf" --validation "$work/parts/val.mgf")
measured=(--spectra-per-molecule 4 --learning-rate 5e-4 --weight-decay 0.3 --peak-dropout 0.4)
ranked() { sb-train-ranking "$work/parts/val.mgf" --fragments "$work/parts/train.mgf" \
  ${FROM:+--fragments-from "$FROM"} ${FRAGMENT_EPOCHS:+--fragment-epochs "$FRAGMENT_EPOCHS"} \
  --checkpoints "$work/fragments" --index "$work/index.h5" --reference "$work/reference.h5" --encoder "$encoder" \
  --model "$1" -o "$2" --force "${threads[@]}" "${@:3}"; }

# first of measured spectra alone: its network simulates spectra of molecules that were never measured
stage "$work/plain.safetensors" bridge "$work/plain.safetensors" "${parts[@]}" "${measured[@]}" \
  --epochs "${EPOCHS:-8}" --dropout 0.4
stage "$work/first.safetensors" ranked "$work/plain.safetensors" "$work/first.safetensors" --spectra-each 1
stage "$work/excluded.txt" to "$work/excluded.txt" excluded
stage "$work/simulated.mgf" to "$work/simulated.mgf" python "$stages/simulate_spectra.py" "$work/parts/train.mgf" \
  "$work/decoys.tsv" --ranker "$work/first.safetensors" --exclude "$work/excluded.txt" \
  --most "${SIMULATED:-200000}" "${threads[@]}"

# then on those, and further on the measured ones
stage "$work/pretrained.safetensors" bridge "$work/pretrained.safetensors" "${parts[@]}" "$work/simulated.mgf" \
  --dropout 0.4 --spectra-per-molecule 2 --epochs 2 --learning-rate 1e-3 --peak-dropout 0
further=(--start-from "$work/pretrained.safetensors" --dtype float16)
stage "$work/trained.safetensors" bridge "$work/trained.safetensors" "${parts[@]}" "${measured[@]}" "${further[@]}" \
  --epochs "${EPOCHS:-8}"
stage "$work/model.safetensors" ranked "$work/trained.safetensors" "$work/model.safetensors" --spectra-each 3 \
  --lists "$work/lists.npz" --report "$work/report.tsv"

# and once more with all molecules, those held back too, for as many epochs as were best without them
stage "$work/everything.safetensors" bridge "$work/everything.safetensors" "$spectra" "${measured[@]}" "${further[@]}" \
  --epochs "${EPOCHS:-4}"
stage "$work/final.safetensors" python "$stages/train_on_all.py" "$work/model.safetensors" \
  "$work/everything.safetensors" "$spectra" "$work/final.safetensors" --index "$work/index.h5" \
  --checkpoints "$work/fragments_of_all" ${FROM:+--fragments-from "$FROM"} \
  ${FRAGMENT_EPOCHS:+--epochs "$FRAGMENT_EPOCHS"} "${threads[@]}"
