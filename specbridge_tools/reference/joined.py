"""Several references as one: what one build of all their records would have given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from specbridge_tools.reference.layout import ReferenceSpace
from specbridge_tools.reference.molecules import MoleculeTable
from specbridge_tools.reference.spectra import SpectrumTable
from specbridge_tools.reference.texts import REPEATED, SpectrumTexts

Contents = tuple[SpectrumTable, SpectrumTexts, MoleculeTable, ReferenceSpace]


def joined(contents: Sequence[Contents]) -> Contents:
    """Put references of one space together, in order: a repeated accession or molecule counts as the first has it."""
    accessions: dict[str, None] = {}
    molecules = _Numbered([(each[2].inchikey14, each[0].molecule) for each in contents])
    lists = {name: _Numbered([(each[1].lists[name], each[1].codes[name]) for each in contents]) for name in REPEATED}
    tables: list[SpectrumTable] = []
    codes: dict[str, list[NDArray[np.int64]]] = {name: [] for name in REPEATED}
    for place, (spectra, texts, _, _) in enumerate(contents):
        kept = []
        for row, accession in enumerate(texts.accession):
            if accession not in accessions:
                accessions[accession] = None
                kept.append(row)
        rows = np.array(kept, np.int64)
        tables.append(_taken(spectra, rows, molecules.take(place, rows)))
        for name in REPEATED:
            codes[name].append(lists[name].take(place, rows))
    spectrum_texts = SpectrumTexts(
        list(accessions),
        {name: np.concatenate(parts) for name, parts in codes.items()},
        {name: lists[name].values for name in REPEATED},
    )
    return _one_table(tables), spectrum_texts, _molecules(contents, molecules.first), contents[0][3]


class _Numbered:
    """Values of several files, numbered anew in the order in which rows that are kept first have them.

    Attributes:
        values: So far.
        first: (file, number in it) where each was first.
    """

    def __init__(self, files: Sequence[tuple[Sequence[str], NDArray[np.integer]]]) -> None:
        self.values: list[str] = []
        self.first: list[tuple[int, int]] = []
        self._number: dict[str, int] = {}
        self._files = files

    def take(self, place: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The new numbers of rows of a file."""
        values, numbers = self._files[place]
        numbers = numbers[rows]
        found, where = np.unique(numbers, return_index=True)
        new = np.zeros(len(values), np.int64)
        for number in found[np.argsort(where)].tolist():
            value = values[number]
            if value not in self._number:
                self._number[value] = len(self.values)
                self.values.append(value)
                self.first.append((place, number))
            new[number] = self._number[value]
        return new[numbers]


def _taken(table: SpectrumTable, rows: NDArray[np.int64], molecule: NDArray[np.int64]) -> SpectrumTable:
    """Rows of a table, of other molecules."""
    sizes = np.diff(table.starts)
    kept = np.zeros(len(table), bool)
    kept[rows] = True
    of_kept = np.repeat(kept, sizes)
    return SpectrumTable(
        molecule.astype(np.int32), table.precursor[rows], table.polarity[rows], table.charge[rows], table.energy[rows],
        np.concatenate([[0], np.cumsum(sizes[rows])]), table.mz[of_kept], table.intensity[of_kept],
    )  # fmt: skip


def _one_table(tables: Sequence[SpectrumTable]) -> SpectrumTable:
    sizes = np.concatenate([np.diff(table.starts) for table in tables])
    names = ("molecule", "precursor", "polarity", "charge", "energy", "mz", "intensity")
    columns: dict[str, Any] = {name: np.concatenate([getattr(table, name) for table in tables]) for name in names}
    return SpectrumTable(starts=np.concatenate([[0], np.cumsum(sizes)]), **columns)


def _molecules(contents: Sequence[Contents], first: Sequence[tuple[int, int]]) -> MoleculeTable:
    tables = [each[2] for each in contents]
    starts = np.cumsum([0, *(len(table) for table in tables)])
    rows = np.array([starts[place] + number for place, number in first], np.int64)
    counts = sparse.vstack([table.counts for table in tables], format="csr")[rows]
    embedding = np.concatenate([table.embedding for table in tables])
    texts: dict[str, Any] = {
        name: [getattr(tables[place], name)[number] for place, number in first]
        for name in ("inchikey14", "smiles", "formula", "name")
    }
    return MoleculeTable(
        starts=counts.indptr, bit=counts.indices, count=counts.data,
        embedding=embedding[rows] if len(embedding) else embedding, **texts,
    )  # fmt: skip
