"""The search among reference spectra in memory."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.constants import PROTON_MASS
from specbridge_tools.reference.peaks import UNITS, CleanSpectrum
from specbridge_tools.reference.similarity import (
    are_fragments,
    best_of_molecules,
    entropy_weights,
    fragment_weights,
    open_similarities,
    same_ion_similarities,
)
from specbridge_tools.reference.spectra import Best, Similarities, SpectrumTable, same_ion_width

FRAGMENTS, LOSSES, HYBRID, SHIFTED = range(4)
_POLARITY_SHIFT = round(2 * PROTON_MASS * UNITS)  # by which [F + H]+ is heavier than [F - H]-


class PeakIndex:
    """Finds what is similar to a spectrum: all fragments by their m/z, and by their neutral losses."""

    def __init__(self, table: SpectrumTable, n_molecules: int) -> None:
        self.table = table
        self.n_molecules = n_molecules
        weights = fragment_weights(table.starts, table.mz, table.intensity, table.precursor, table.charge)
        rows = np.flatnonzero(weights).astype(np.int32)
        rows = rows[_sorted(table.mz[rows])]
        self._mz, self._weight = table.mz[rows], weights[rows]
        del weights
        self._spectrum = np.repeat(np.arange(len(table), dtype=np.int32), np.diff(table.starts))[rows]
        del rows
        loss = table.precursor[self._spectrum]
        loss -= self._mz
        self._loss_fragment = _sorted(loss)
        self._loss = loss[self._loss_fragment]

    @functools.cached_property
    def _by_precursor(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(precursors ascending, their spectra)."""
        order = _sorted(self.table.precursor)
        return self.table.precursor[order], order

    def search(self, spectra: Sequence[CleanSpectrum], left_out: NDArray[np.bool_] | None = None) -> Similarities:
        """Compare the spectra of a query with all reference spectra; of several of them the best counts (see `hybrid`).

        Args:
            spectra: Of one compound, at least one.
            left_out: (n,) the reference spectra that count as if they were not there; None for none.
        """
        none = [Best.none(self.n_molecules) for _ in range(4)]
        found = Similarities(none[0], none[1], none[2], none[3], hybrid=[])
        for spectrum in spectra:
            self._add(found, spectrum, left_out)
        return found

    def _add(self, found: Similarities, query: CleanSpectrum, left_out: NDArray[np.bool_] | None) -> None:
        table = self.table
        similarity = self.compare(query)
        there = np.ones(len(table), bool) if left_out is None else ~left_out
        other = table.polarity * query.polarity == -1
        same_ion = np.zeros(len(table), bool)
        rows = self._within(query.precursor)
        rows = rows[there[rows] & ~other[rows]]
        same_ion[rows] = True
        direct = np.zeros(len(table))
        direct[rows] = same_ion_similarities(
            rows.astype(np.int64), table.starts, table.mz, table.intensity, query.mz,
            entropy_weights(query.intensity, np.ones(len(query.mz), bool)),
        )  # fmt: skip
        found.hybrid.append(Best.none(self.n_molecules))
        for best, values, counts in (
            (found.same_ion, direct, same_ion),
            (found.same_polarity_fragments, similarity[FRAGMENTS], there & ~other & ~same_ion),
            (found.same_polarity_losses, similarity[LOSSES], there & ~other & ~same_ion),
            (found.other_polarity_fragments, similarity[SHIFTED], there & other),
            (found.hybrid[-1], similarity[HYBRID], there & ~other),
        ):
            best_of_molecules(values, counts.view(np.int8), table.molecule, best.similarity, best.spectrum)

    def compare(self, query: CleanSpectrum) -> NDArray[np.float64]:
        """(4, n) similarity to each spectrum: fragments, losses, both, shifted fragments (`open_similarities`)."""
        kept = are_fragments(query.mz, query.precursor, query.charge)
        similarity = np.zeros((4, len(self.table)))
        open_similarities(
            self._mz, self._spectrum, self._weight, self._loss, self._loss_fragment, query.mz[kept],
            entropy_weights(query.intensity, kept)[kept], query.precursor, query.polarity * _POLARITY_SHIFT, similarity,
            np.zeros(len(self.table), np.int32), np.zeros(len(self._mz), bool),
        )  # fmt: skip
        return similarity

    def _within(self, precursor: int) -> NDArray[np.int32]:
        """Rows of the spectra of this precursor m/z, ascending."""
        width = same_ion_width(precursor)
        values, order = self._by_precursor
        low, high = np.searchsorted(values, [precursor - width, precursor + width + 1])
        return np.sort(order[low:high])


def _sorted(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """The stable order (n,) of whole numbers, by one sort of numbers that hold value and place: twice as fast."""
    keys = values.astype("<i8")
    keys <<= 32
    keys |= np.arange(len(values), dtype=np.int32)
    keys.sort()
    return keys.view("<i4")[::2].copy()
