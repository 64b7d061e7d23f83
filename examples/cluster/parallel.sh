#!/bin/bash
# parallel.sh SPECTRA INDEX FOLDER [OPTIONS OF sb-query]: hits of an MGF file by GNU parallel, on this machine, or on
# others with PARALLEL='--sshlogin ...'. Each task takes 1,000 spectra from the pipe; SPECTRA may be - for stdin.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
spectra=$1 index=$(readlink -f "$2") folder=$3
mkdir -p "$folder/parts"
if ls "$folder"/parts/*.tsv >/dev/null 2>&1; then
    echo "$folder/parts holds the parts of an earlier run: remove them first" >&2
    exit 2
fi
# status 75 is worth another try, and so GNU parallel tries twice; --halt: no merge of what is not whole
cat "$spectra" | parallel --pipe --recend 'END IONS\n' -N "${SPECTRA_PER_TASK:-1000}" --retries 2 --halt soon,fail=1 \
    sb-query - --index "$index" --threads 1 --force -o "$folder/parts/{= \$_ = sprintf '%06d', seq() =}.tsv" "${@:4}"
sb-merge "$folder"/parts/*.tsv -o "$folder/hits.tsv" --force
