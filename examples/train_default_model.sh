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
# Result: WORK_DIR/molecules.safetensors and model.safetensors. Copied to specbridge_tools/pretrained they are the
# default weights. Environment: THREADS (default: all), EXCLUDE (spectra whose molecules are never simulated, e.g. those
# the result will be measured on), and to try it out with less: EPOCHS of the last stage (8), of the rankers,
# RANKER_EPOCHS (14), RANKER2_EPOCHS (6) and RANKER3_EPOCHS (6), of the one that they teach, TAUGHT_EPOCHS (7), and
# SIMULATED, how many molecules are simulated (200000).
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 2; }
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
excluded() {
  cat "$work/held_back.txt"
  [ -z "${EXCLUDE:-}" ] || python "$stages/structures_of_spectra.py" "$EXCLUDE" | tail -n +2 | cut -f 1
}
held_back() { python "$stages/structures_of_spectra.py" "$work/parts/val.mgf" | tail -n +2 | cut -f 1; }

# the molecules' space, and the molecules in it
stage "$work/molecules.safetensors" fit_molecules
stage "$work/parts/val.mgf" sb-split "$spectra" --by structure --fractions 0.9,0.1 -o "$work/parts/" --force
stage "$work/structures.tsv" to "$work/structures.tsv" python "$stages/structures_of_spectra.py" "$spectra"
stage "$work/decoys.tsv" to "$work/decoys.tsv" select_decoys
stage "$work/molecules.h5" sb-embed-mols "$work/decoys.tsv" -o "$work/molecules.h5" "${threads[@]}" \
  --encoder "morgan:file=$work/molecules.safetensors"

# three networks that rank by fragments, the last one under dropout, and one that learns the mean of their scores as well
# and is shipped; trained without the molecules on which the model is selected
stage "$work/held_back.txt" to "$work/held_back.txt" held_back
ranker() { python "$stages/train_ranker.py" "$spectra" "$pool" -o "$1" --held-back "$work/held_back.txt" \
  --weight-decay 1e-3 --dropout 0 --drop-peaks 0 --move-intensity 0 --spectra-each 8 --decoys 16 --decoys-each 32 \
  "${threads[@]}" "${@:2}"; }
stage "$work/ranker.safetensors" ranker "$work/ranker.safetensors" --epochs "${RANKER_EPOCHS:-14}" --widths 64 96 48
stage "$work/ranker2.safetensors" ranker "$work/ranker2.safetensors" --epochs "${RANKER2_EPOCHS:-6}" --widths 48 64 32 \
  --seed 1
stage "$work/ranker3.safetensors" ranker "$work/ranker3.safetensors" --epochs "${RANKER3_EPOCHS:-6}" --widths 64 96 48 \
  --start-from "$work/ranker.safetensors" --weight-decay 1e-2 --dropout 0.1 --drop-peaks 0.1 --move-intensity 0.2 \
  --decoys-each 96 --learning-rate 2e-3 --seed 3
stage "$work/taught.safetensors" ranker "$work/taught.safetensors" --epochs "${TAUGHT_EPOCHS:-7}" --widths 64 96 48 \
  --start-from "$work/ranker.safetensors" --move-intensity 0.1 --decoys-each 64 --learning-rate 1.5e-3 --seed 2 \
  --teacher "$work/ranker.safetensors" "$work/ranker2.safetensors" "$work/ranker3.safetensors"

# spectra that the ranker expects of molecules without any, the held-back ones and those of EXCLUDE left out
stage "$work/excluded.txt" to "$work/excluded.txt" excluded
stage "$work/simulated.mgf" to "$work/simulated.mgf" python "$stages/simulate_spectra.py" "$work/parts/train.mgf" \
  "$work/decoys.tsv" --ranker "$work/ranker.safetensors" --exclude "$work/excluded.txt" \
  --most "${SIMULATED:-200000}" "${threads[@]}"

# the spectral encoder and the bridge: first on those, then on the measured ones
trained() { sb-finetune "$work/parts/train.mgf" "${@:2}" --validation "$work/parts/val.mgf" \
  --molecules "$work/molecules.h5" -o "$1" --resume --history "${1%.safetensors}.tsv" --force --batch-size 256 \
  --loss candidate=1 --loss infonce=1 \
  --loss cosine=1 --warmup-share 0.1 --seed 0 "${threads[@]}"; }
stage "$work/pretrained.safetensors" trained "$work/pretrained.safetensors" "$work/simulated.mgf" \
  --spectral-encoder massbins --dropout 0.4 --spectra-per-molecule 2 --epochs 2 --learning-rate 1e-3 --peak-dropout 0
stage "$work/trained.safetensors" trained "$work/trained.safetensors" --start-from "$work/pretrained.safetensors" \
  --spectra-per-molecule 4 --epochs "${EPOCHS:-8}" --learning-rate 5e-4 --weight-decay 0.3 --peak-dropout 0.4
stage "$work/unweighted.safetensors" python "$stages/ship.py" "$work/trained.safetensors" \
  "$work/unweighted.safetensors" "$work/taught.safetensors"

# how much cosine and fragment score weigh, and what probabilities the scores mean, on those molecules
searched() { sb-query "$work/few.mgf" --index "$work/index.h5" --model "$work/unweighted.safetensors" --top 0 \
  --rerank all --reference none -o "$1" "${threads[@]}" "${@:2}"; }
stage "$work/few.mgf" to "$work/few.mgf" python "$stages/few_spectra.py" "$work/parts/val.mgf"
stage "$work/index.h5" sb-build-index "$work/molecules.h5" -o "$work/index.h5" --model "$work/unweighted.safetensors"
stage "$work/hits.tsv" searched "$work/hits.tsv"
stage "$work/groups.tsv" searched "$work/groups.tsv" --group-by COMPOUND_ION
stage "$work/fused.safetensors" python "$stages/fit_fusion.py" "$work/hits.tsv" "$work/groups.tsv" "$work/few.mgf" \
  --model "$work/unweighted.safetensors" -o "$work/fused.safetensors"

# how much reference spectra weigh beside them: all spectra are reference, but for those of the query's own molecule and
# of similar ones, or of its own contributor
stage "$work/reference.h5" sb-build-reference "$spectra" -o "$work/reference.h5" \
  --encoder "morgan:file=$work/molecules.safetensors"
ranked() { sb-train-ranking "$work/few.mgf" --index "$work/index.h5" --model "$1" -o "$2" --lists "$work/lists.npz" \
  --reference "$work/reference.h5" --encoder "morgan:file=$work/molecules.safetensors" --force "${threads[@]}"; }
stage "$work/lists.npz" ranked "$work/fused.safetensors" "$work/any.safetensors"
stage "$work/weighed.safetensors" python "$stages/fit_references.py" "$work/lists.npz" \
  --model "$work/fused.safetensors" -o "$work/weighed.safetensors"

# what the scores of complete lists mean, with all evidence together: probabilities and answer sets
stage "$work/model.safetensors" ranked "$work/weighed.safetensors" "$work/model.safetensors"
