"""Print how well similarities of spectra tell the molecule from its isomers, by the ions that are compared.

compare_similarities.py REFERENCE [--each 8]

Each spectrum of a file of sb-build-reference is compared with those that other contributors measured of its molecule
and of others of the same formula. For each kind of ions: how many spectra of how many molecules, and by each similarity
how often the molecule's best spectrum is more alike than that of every isomer (recall@1, ties shared) and than that of
one isomer (AUC), as means over molecules.
"""

import argparse
import collections

import numpy as np

from specbridge_tools.reference.file import read_references
from specbridge_tools.reference.peak_index import FRAGMENTS, HYBRID, LOSSES, SHIFTED, PeakIndex
from specbridge_tools.reference.peaks import CleanSpectrum
from specbridge_tools.reference.similarity import same_ion_similarity
from specbridge_tools.reference.spectra import same_ion_width

KINDS = ("same_ion", "same_polarity", "other_polarity")
SIMILARITIES = {"fragments": FRAGMENTS, "losses": LOSSES, "fragments, then losses": HYBRID, "shifted": SHIFTED}
WHOLE = "whole spectra"


class Isomers:
    """The spectra of a reference, by formula."""

    def __init__(self, path):
        self.table, texts, self.molecules, _ = read_references([path])
        self.index = PeakIndex(self.table, len(self.molecules))
        self.contributor = texts.codes["contributor"]
        self._of_formula = collections.defaultdict(list)
        for row, molecule in enumerate(self.table.molecule.tolist()):
            self._of_formula[self.molecules.formula[molecule]].append(row)

    def spectrum(self, row):
        """A spectrum of the table as one that is compared."""
        table, part = self.table, slice(self.table.starts[row], self.table.starts[row + 1])
        numbers = (int(values[row]) for values in (table.precursor, table.polarity, table.charge))
        return CleanSpectrum(*numbers, table.mz[part], table.intensity[part])

    def compared_with(self, row):
        """{kind: rows of other contributors' spectra of the formula}, where both molecule and isomers have some."""
        table = self.table
        rows = np.array(self._of_formula[self.molecules.formula[table.molecule[row]]])
        rows = rows[self.contributor[rows] != self.contributor[row]]
        other = table.polarity[rows] * table.polarity[row] == -1
        near = np.abs(table.precursor[rows] - table.precursor[row]) <= same_ion_width(int(table.precursor[row]))
        masks = zip(KINDS, (near & ~other, ~near & ~other, other), strict=True)
        found = {kind: rows[mask] for kind, mask in masks}
        own = {kind: table.molecule[rows] == table.molecule[row] for kind, rows in found.items()}
        return {kind: rows for kind, rows in found.items() if own[kind].any() and not own[kind].all()}

    def similarities(self, row, kinds):
        """Yield (kind, name, (recall@1, AUC)) of a spectrum."""
        query = self.spectrum(row)
        compared = self.index.compare(query)
        for kind, rows in kinds.items():
            values = {name: compared[place, rows] for name, place in SIMILARITIES.items()}
            if kind == "same_ion":
                values = {WHOLE: np.array([same_ion_similarity(query, self.spectrum(each)) for each in rows]), **values}
            for name, value in values.items():
                yield kind, name, self._looks(row, rows, value)

    def _looks(self, row, rows, value):
        molecules, place = np.unique(self.table.molecule[rows], return_inverse=True)
        best = np.zeros(len(molecules))
        np.maximum.at(best, place, value.round(6))
        own = molecules == self.table.molecule[row]
        others, mine = best[~own], best[own][0]
        ties = (others == mine).sum()
        first = 0.0 if (others > mine).any() else 1 / (1 + ties)
        return first, ((others < mine).sum() + ties / 2) / len(others)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference")
    parser.add_argument("--each", type=int, default=8, help="spectra of each molecule and kind, at most")
    options = parser.parse_args()
    isomers = Isomers(options.reference)
    looks = collections.defaultdict(lambda: collections.defaultdict(list))
    seen = collections.Counter()
    for row in np.random.default_rng(0).permutation(len(isomers.table)).tolist():
        molecule = int(isomers.table.molecule[row])
        kinds = {kind: rows for kind, rows in isomers.compared_with(row).items() if seen[molecule, kind] < options.each}
        seen.update((molecule, kind) for kind in kinds)
        for kind, name, look in isomers.similarities(row, kinds) if kinds else ():
            looks[kind, name][molecule].append(look)
    print("kind\tsimilarity\tspectra\tmolecules\trecall@1\tauc")
    for kind, name in sorted(looks, key=lambda each: (KINDS.index(each[0]), [WHOLE, *SIMILARITIES].index(each[1]))):
        of_molecules = looks[kind, name]
        first, auc = np.mean([np.mean(values, axis=0) for values in of_molecules.values()], axis=0)
        n_spectra = sum(map(len, of_molecules.values()))
        print(f"{kind}\t{name}\t{n_spectra}\t{len(of_molecules)}\t{first:.3f}\t{auc:.3f}")


if __name__ == "__main__":
    main()
