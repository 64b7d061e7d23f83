"""Several indexes as one: the candidates of each are merged, to the result that one index of all would give."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.molecules.counts import NONE
from specbridge_tools.molecules.counts import PREFIX as COUNTS
from specbridge_tools.provenance import in_order
from specbridge_tools.search.candidates.query import Query
from specbridge_tools.search.candidates.retrieve import Candidates
from specbridge_tools.search.index.build import require_same_vectors
from specbridge_tools.search.index.molecule_rows import SAME_MASS, mass_groups, merged_text
from specbridge_tools.search.index.reader import Index

# Molecules of this many Da are looked through at once for those that are in several indexes.
_STRETCH = 0.5

Search = Callable[[Sequence[Query]], Iterable[Candidates]]
"""The candidates of each query of a list."""


class MultiIndex:
    """Open indexes of one space; what a search asks of an `Index`, with rows numbered on from index to index.

    A molecule that is in several counts once, as in the first, with the ids of all.

    Attributes:
        indexes: shards in their order, others as given.
        name: as messages show it.
        space: where the vectors live.
        dtype: float16 or float32.
        texts: the columns of text, by name.
    """

    def __init__(self, indexes: Sequence[Index]) -> None:
        indexes = in_order([(index.part, index, index.name) for index in indexes])
        require_same_vectors(indexes, advice="build all with one encoder and model")
        self.indexes = indexes
        self.name = f"{indexes[0].name} and {len(indexes) - 1} more"
        self.space, self.dtype = indexes[0].space, indexes[0].dtype
        self._starts = np.concatenate([[0], np.cumsum([index.n for index in indexes])])
        # row of a molecule -> its rows in other indexes, as far as searches have met them
        self._repeats: dict[int, list[int]] = {}
        self.texts = {name: MultiTexts(self, name) for index in indexes for name in index.texts}
        self._n: int | None = None

    @property
    def n(self) -> int:
        """Number of different molecules; the first time all masses are read."""
        if self._n is None:
            self._n = int(self._starts[-1]) - self._count_repeats()
        return self._n

    def joined(self, parts: Sequence[Candidates]) -> Candidates:
        """The candidates of one query in each index -> those of all, each molecule once."""
        numbered = [
            Candidates(part.row + start, part.inchikey14, part.exact_mass, part.score, part.adduct, part.mass_error_ppm)
            for part, start in zip(parts, self._starts[:-1], strict=True)
        ]
        merged = Candidates.concatenate(numbered)
        merged = merged.take(np.lexsort((merged.row, merged.inchikey14, merged.exact_mass)))
        group = mass_groups(merged.exact_mass)
        order = np.lexsort((merged.row, merged.inchikey14, group))
        group, keys = group[order], merged.inchikey14[order]
        same = (group[1:] == group[:-1]) & (keys[1:] == keys[:-1])
        if not same.any():
            return merged
        keep, repeats = self._without_repeats(merged, order, np.flatnonzero(same))
        for row, others in repeats.items():
            known = self._repeats.setdefault(row, [])
            known += [other for other in others if other not in known]
        return merged.take(keep)

    def place(self, row: int) -> tuple[Index, int]:
        """The index that holds one of these rows, and the row in it."""
        number = int(np.searchsorted(self._starts, row, "right")) - 1
        return self.indexes[number], int(row - self._starts[number])

    def repeats(self, row: int) -> Sequence[int]:
        """Rows of the other indexes that hold the same molecule, as far as searches have met them."""
        return self._repeats.get(row, ())

    def _without_repeats(
        self, merged: Candidates, order: NDArray[np.int64], suspect: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], dict[int, list[int]]]:
        """Find the molecules that are in several indexes.

        Args:
            merged: n candidates.
            order: (n,), sorts them by mass and InChIKey block.
            suspect: places in this order whose key is that of the next.

        Returns:
            Whether to keep each candidate (n,); row of a kept one -> rows of those that repeat it.
        """
        keep = np.ones(len(merged), bool)
        repeats: dict[int, list[int]] = {}
        first_of: dict[tuple[bytes, str], int] = {}
        for at in order[np.union1d(suspect, suspect + 1)].tolist():
            index, row = self.place(merged.row[at])
            key = (merged.inchikey14[at], index.texts["formula"].read(row, row + 1)[0])
            first = first_of.get(key)
            if first is None or abs(merged.exact_mass[first] - merged.exact_mass[at]) > SAME_MASS:
                first_of[key] = at
                continue
            keep[at] = False
            repeats.setdefault(int(merged.row[first]), []).append(int(merged.row[at]))
        return keep, repeats

    def _count_repeats(self) -> int:
        lowest = min(float(index.exact_mass.read(0, 1)[0]) for index in self.indexes if index.n)
        highest = max(float(index.exact_mass.read(index.n - 1, index.n)[0]) for index in self.indexes if index.n)
        return sum(self._repeats_between(low, low + _STRETCH) for low in np.arange(lowest, highest + 1e-6, _STRETCH))

    def _repeats_between(self, low: float, high: float) -> int:
        """How many molecules with low <= mass < high are in another index, too."""
        parts = []
        for start, index in zip(self._starts[:-1], self.indexes, strict=True):
            first, masses = index.mass_window(low, np.nextafter(high, low))
            keys = index.inchikey14.read(first, first + len(masses))
            rows = np.arange(first, first + len(masses)) + start
            unknown = np.zeros(len(masses))
            parts.append(Candidates(rows, keys, masses, unknown, unknown.astype(np.int64), unknown))
        merged = Candidates.concatenate(parts)
        merged = merged.take(np.argsort(merged.exact_mass, kind="stable"))
        order = np.lexsort((merged.row, merged.inchikey14, mass_groups(merged.exact_mass)))
        keys, masses = merged.inchikey14[order], merged.exact_mass[order]
        suspect = np.flatnonzero((keys[1:] == keys[:-1]) & (np.abs(np.diff(masses)) <= SAME_MASS))
        return int((~self._without_repeats(merged, order, suspect)[0]).sum()) if len(suspect) else 0


class MultiTexts:
    """A column of text of a `MultiIndex`."""

    def __init__(self, indexes: MultiIndex, name: str) -> None:
        self._indexes = indexes
        self._name = name
        self._is_of_all = name == "all_ids" or name.startswith(COUNTS)

    def take(self, rows: NDArray[np.int64]) -> list[str]:
        """The strings of row numbers (n,)."""
        return [self._text(row) for row in rows.tolist()]

    def _text(self, row: int) -> str:
        text = self._own(row)
        repeats = self._indexes.repeats(row) if self._is_of_all else ()
        return merged_text(self._name, [text, *map(self._own, repeats)]) if repeats else text

    def _own(self, row: int) -> str:
        index, at = self._indexes.place(row)
        return index.texts[self._name].read(at, at + 1)[0] if self._name in index.texts else NONE


def join_searches(indexes: MultiIndex, searches: Sequence[Search]) -> Search:
    """One search for all of several indexes, of a search for each."""

    def search(queries: Sequence[Query]) -> Iterator[Candidates]:
        for parts in zip(*(search_one(queries) for search_one in searches), strict=True):
            yield indexes.joined(parts)

    return search


@contextlib.contextmanager
def opened_together(indexes: Iterable[Index]) -> Iterator[Index | MultiIndex]:
    """Yield one open index, or several as `MultiIndex`, and close them."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(index) for index in indexes]
        yield opened[0] if len(opened) == 1 else MultiIndex(opened)
