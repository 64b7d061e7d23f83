#!/bin/bash
# submit.sh MOLECULES SPECTRA FOLDER [OPTIONS OF sb-query]: from a table of molecules and a file of spectra to hits, as
# four jobs, each of which starts when the one before has ended well in all its parts. SBATCH_OPTIONS go to each sbatch.
# With the word "library" for MOLECULES it is the library that ships, whose index one job builds ahead of the others.
# Run it again after a failure: parts that are there are not made again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 3 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
molecules=$1 spectra=$(readlink -f "$2")
[ "$molecules" = library ] || molecules=$(readlink -f "$molecules")
mkdir -p "$3"
out=$(readlink -f "$3")
cd "$out"

submit() { # AFTER SCRIPT ARGUMENTS...: prints the number of the job
    # shellcheck disable=SC2086  # several options in one variable
    sbatch --parsable ${1:+--dependency=afterok:$1 --kill-on-invalid-dep=yes} ${SBATCH_OPTIONS:-} "$here/$2" "${@:3}"
}
count() { sed -n 's/^parts=//p' "$here/$1"; }
named() { seq -f "$1" "$2"; }

if [ "$molecules" = library ]; then
    embed="" index=$(submit "" merge.sbatch sb-library build -o "$out/index.h5" --force)
else
    embed=$(submit "" embed.sbatch "$molecules" "$out")
    mapfile -t parts < <(named "$out/molecules.%g.h5" "$(count embed.sbatch)")
    index=$(submit "$embed" merge.sbatch sb-build-index "${parts[@]}" -o "$out/index.h5" --force)
fi
query=$(submit "$index" query.sbatch "$spectra" "$out/index.h5" "$out" "${@:4}")
mapfile -t parts < <(named "$out/hits.%g.tsv" "$(count query.sbatch)")
merge=$(submit "$query" merge.sbatch sb-merge "${parts[@]}" -o "$out/hits.tsv" --force)
echo "${embed:+$embed }$index $query $merge"
