"""Select the molecules of a large table that share a mass with a structure, so that only they have to be embedded.

xz -dc pool.tsv.xz | select_decoys.py STRUCTURES.tsv [--tolerance-ppm 10] [--most 250] [--seed 0] > decoys.tsv

STRUCTURES.tsv has a column `smiles`; the pool on stdin is TSV with `smiles` and `exact_mass` (Da). At most `--most`
molecules for each structure are kept, drawn with the seed. The structures themselves come first, so none is missing.
"""

import argparse
import csv
import sys

import numpy as np

from specbridge_tools.molecules.chemistry import standardise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures")
    parser.add_argument("--tolerance-ppm", type=float, default=10.0)
    parser.add_argument("--most", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with open(options.structures, newline="") as handle:
        forms = [standardise(row["smiles"]) for row in csv.DictReader(handle, delimiter="\t")]
    pool = [(float(row["exact_mass"]), row["smiles"]) for row in csv.DictReader(sys.stdin, delimiter="\t")]
    pool.sort()
    masses = np.array([mass for mass, _ in pool])
    rng = np.random.default_rng(options.seed)
    selected = set()
    for form in forms:
        width = form.exact_mass * options.tolerance_ppm * 1e-6
        window = np.arange(*np.searchsorted(masses, [form.exact_mass - width, form.exact_mass + width]))
        if len(window) > options.most:
            window = rng.choice(window, options.most, replace=False)
        selected.update(window.tolist())
    rows = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    rows.writerow(["id", "smiles"])
    rows.writerows((f"structure{i}", form.smiles) for i, form in enumerate(forms, start=1))
    rows.writerows((f"pool{i}", pool[i][1]) for i in sorted(selected))
    print(f"{len(forms)} structures, {len(selected)} of {len(pool)} molecules kept", file=sys.stderr)


if __name__ == "__main__":
    main()
