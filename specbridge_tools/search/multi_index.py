"""Several indexes as one: what is found in each is merged, to the result that one index of all would give."""

import contextlib

import numpy as np

from specbridge_tools.embeddings.space import require_same
from specbridge_tools.errors import UsageError
from specbridge_tools.provenance import in_order
from specbridge_tools.search.candidates.retrieve import Candidates
from specbridge_tools.search.index.molecule_rows import ID_SEPARATOR, SAME_MASS, mass_groups

# Molecules of this many Da are looked through at once for those that stand in several indexes.
_STRETCH = 0.5


class MultiIndex:
    """Open indexes of one space; what a search asks of an `Index`, with rows numbered on from index to index.

    A molecule that stands in several counts once, as in the first, with the ids of all.
    """

    def __init__(self, indexes):
        indexes = in_order([(index.part, index, index.name) for index in indexes])
        for index in indexes[1:]:
            advice = "build all with one encoder and model"
            require_same(indexes[0].space, indexes[0].name, index.space, index.name, advice=advice)
            if index.dtype != indexes[0].dtype:
                message = f"{indexes[0].name} holds {indexes[0].dtype}, {index.name} {index.dtype}"
                raise UsageError(message, advice="build one of them again with the other's --dtype")
        self.indexes = indexes
        self.name = f"{indexes[0].name} and {len(indexes) - 1} more"
        self.space, self.dtype = indexes[0].space, indexes[0].dtype
        self._starts = np.concatenate([[0], np.cumsum([index.n for index in indexes])])
        self._repeats = {}
        self.texts = {name: _MultiTexts(self, name) for name in indexes[0].texts}
        self._n = None

    @property
    def n(self):
        """Number of different molecules; the first time all masses are read."""
        if self._n is None:
            self._n = int(self._starts[-1]) - self._count_repeats()
        return self._n

    def joined(self, found):
        """`Candidates` of one query in each index -> those of all, each molecule once."""
        columns = zip(*(self._columns(number, each) for number, each in enumerate(found)), strict=True)
        every = Candidates(*(np.concatenate(column) for column in columns))
        every = every.take(np.lexsort((every.row, every.inchikey14, every.exact_mass)))
        group = mass_groups(every.exact_mass)
        order = np.lexsort((every.row, every.inchikey14, group))
        same = (group[order][1:] == group[order][:-1]) & (every.inchikey14[order][1:] == every.inchikey14[order][:-1])
        if not same.any():
            return every
        return every.take(self._without_repeats(every, order, np.flatnonzero(same)))

    def place(self, row):
        """(index, row in it) of one of these rows."""
        number = int(np.searchsorted(self._starts, row, "right")) - 1
        return self.indexes[number], int(row - self._starts[number])

    def repeats(self, row):
        """Rows of the other indexes that hold the same molecule, as far as it was found there."""
        return self._repeats.get(int(row), ())

    def _columns(self, number, each):
        yield each.row + self._starts[number]
        yield from (each.inchikey14, each.exact_mass, each.score, each.adduct, each.mass_error_ppm)

    def _without_repeats(self, every, order, suspect):
        keep = np.ones(len(every), bool)
        first_of = {}
        for place in np.union1d(suspect, suspect + 1):
            at = order[place]
            index, row = self.place(every.row[at])
            key = (every.inchikey14[at], index.texts["formula"].read(row, row + 1)[0])
            first = first_of.get(key)
            if first is None or abs(every.exact_mass[first] - every.exact_mass[at]) > SAME_MASS:
                first_of[key] = at
                continue
            keep[at] = False
            known = self._repeats.setdefault(int(every.row[first]), [])
            if int(every.row[at]) not in known:
                known.append(int(every.row[at]))
        return keep

    def _count_repeats(self):
        lowest = min(float(index.exact_mass.read(0, 1)[0]) for index in self.indexes if index.n)
        highest = max(float(index.exact_mass.read(index.n - 1, index.n)[0]) for index in self.indexes if index.n)
        return sum(self._repeats_between(low, low + _STRETCH) for low in np.arange(lowest, highest + 1e-6, _STRETCH))

    def _repeats_between(self, low, high):
        """How many molecules with low <= mass < high stand in another index, too."""
        parts = []
        for start, index in zip(self._starts, self.indexes, strict=False):
            first, masses = index.mass_window(low, np.nextafter(high, low))
            none = np.zeros(len(masses))
            keys = index.inchikey14.read(first, first + len(masses))
            rows = np.arange(first, first + len(masses)) + start
            parts.append(Candidates(rows, keys, masses, none, none.astype(np.int64), none))
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        every = Candidates(*(np.concatenate(column) for column in columns))
        every = every.take(np.argsort(every.exact_mass, kind="stable"))
        order = np.lexsort((every.row, every.inchikey14, mass_groups(every.exact_mass)))
        keys, masses = every.inchikey14[order], every.exact_mass[order]
        suspect = np.flatnonzero((keys[1:] == keys[:-1]) & (np.abs(np.diff(masses)) <= SAME_MASS))
        if not len(suspect):
            return 0
        before, self._repeats = self._repeats, {}
        n_repeats = int((~self._without_repeats(every, order, suspect)).sum())
        self._repeats = before
        return n_repeats


class _MultiTexts:
    def __init__(self, several, name):
        self._indexes = several
        self._name = name

    def take(self, rows):
        """Row numbers (n,) -> list of str."""
        return [self._text(row) for row in rows]

    def _text(self, row):
        text = self._one(row)
        if self._name != "all_ids" or not self._indexes.repeats(row):
            return text
        ids = ID_SEPARATOR.join([text, *map(self._one, self._indexes.repeats(row))]).split(ID_SEPARATOR)
        return ID_SEPARATOR.join(dict.fromkeys(ids))

    def _one(self, row):
        index, at = self._indexes.place(row)
        return index.texts[self._name].read(at, at + 1)[0]


def join_searches(several, searches):
    """Functions that take a list of queries, one for each index -> one for all of them."""

    def search(queries):
        for found in zip(*(one(queries) for one in searches), strict=True):
            yield several.joined(found)

    return search


@contextlib.contextmanager
def opened_together(indexes):
    """Yield one open index, or several as `MultiIndex`, and close them."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(index) for index in indexes]
        yield opened[0] if len(opened) == 1 else MultiIndex(opened)
