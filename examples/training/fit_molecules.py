"""Fit the projection of the default molecular encoder to a sample of a molecule table.

xz -dc pool.tsv.xz | fit_molecules.py OUTPUT.safetensors [--sample 200000] [--dimension 512] [--counts] [--seed 0]

The table on stdin is TSV with a column `smiles`.
"""

import argparse
import csv
import sys

import numpy as np

from specbridge_tools.encoders.molecular.morgan import fit_projection


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--sample", type=int, default=200_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--counts", action="store_true", help="log(1 + count) of each fragment instead of its presence")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    smiles = [row["smiles"] for row in csv.DictReader(sys.stdin, delimiter="\t")]
    chosen = np.random.default_rng(options.seed).permutation(len(smiles))[: options.sample]
    sample = (smiles[i] for i in np.sort(chosen))
    fit_projection(sample, options.output, counts=options.counts, dimension=options.dimension, force=True)


if __name__ == "__main__":
    main()
