"""Spectra of one compound as one query: their vectors averaged, their ions compared."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.hits.hits import USI_SEPARATOR
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.candidates.tolerance import Tolerance
from specbridge_tools.spectra.spectrum import REPAIRED, Spectrum

NO_VALUE = "no {}"
SEVERAL_ADDUCTS = "spectra of several adducts in the group"
SEVERAL_PRECURSORS = "spectra of several precursors in the group"
SEVERAL_VALUES = "spectra of several values of {} in the group"
CANCELLED = "vectors of the group cancel"
# below this the direction of a mean of unit vectors is noise
_LEAST_NORM = 1e-6

Vector = NDArray[np.floating]
Pair = tuple["Spectrum | Rejection", "Vector | None"]
"""A record and its vector (d,), None for a rejected one."""
Member = tuple["Spectrum | Rejection", "Vector | None", tuple[Spectrum, ...]]
"""What is answered as one: a record, its vector, and the spectra behind it."""
Value = TypeVar("Value")


@dataclasses.dataclass
class _Group:
    """What is kept of a group while it is read: of the peaks those of the first spectrum, or of all in `members`.

    Attributes:
        name: value of the field that names the group.
        size: number of its spectra.
        first: its first spectrum.
        total: sum of the vectors, (d,).
        places: id, record, line and notes of each spectrum.
        repaired: what the reader overruled in them, each statement once.
        usis: their Universal Spectrum Identifiers, each once.
        members: the spectra, where they are wanted.
        isotopes: MS1 peaks of the first one that has some, (k, 2).
        precursors: m/z of each.
        ions: adduct, charge and polarity of each.
        adducts: those to be tried for each that has none of its own.
        reason: why the group cannot be used, or ''.
    """

    name: str
    size: int
    first: Spectrum
    total: NDArray[np.float64]
    places: list[tuple[str, int, int, tuple[str, ...]]] = dataclasses.field(default_factory=list)
    members: list[Spectrum] = dataclasses.field(default_factory=list)
    precursors: list[float] = dataclasses.field(default_factory=list)
    ions: list[tuple[str | None, int, int]] = dataclasses.field(default_factory=list)
    repaired: dict[str, None] = dataclasses.field(default_factory=dict)
    usis: dict[str, None] = dataclasses.field(default_factory=dict)
    adducts: list[tuple[str, ...]] = dataclasses.field(default_factory=list)
    isotopes: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.zeros((0, 2)))
    reason: str = ""

    @property
    def is_complete(self) -> bool:
        return len(self.places) == self.size


class Groups:
    """Turns pairs of record and vector into one `Member` a group, in the order of the first spectra.

    The vector of a group is the mean of its spectra's unit vectors, at unit norm; that of a single spectrum is left as
    it is. Adduct, charge and polarity are those that any of the spectra names, if none names another; the precursor is
    the median. Records without the field are rejected.

    Args:
        field: of the metadata; its value names the group.
        sizes: value -> number of spectra that have it, so that a group is answered with its last spectrum; where
            spectra of a group are together nothing else is kept.
        tolerance: how far a precursor may lie from that of the group's first spectrum.
        same: fields of the metadata that must agree as well, where they are given.
        tally: counts every spectrum, those of a group that cannot be used as rejected.
        source: the file, as messages show it.
        keep: whether the spectra of a group are wanted as its members; else these are ().
    """

    def __init__(
        self,
        field: str,
        sizes: Mapping[str, int],
        *,
        tolerance: Tolerance,
        same: Sequence[str],
        tally: Tally,
        source: str,
        keep: bool = False,
    ) -> None:
        self._field = field
        self._sizes = sizes
        self._tolerance = tolerance
        self._same = same
        self._tally = tally
        self._source = source
        self._keep = keep
        # in the order of first spectra: groups by name, and what is answered for rejected records by their place
        self._waiting: dict[str | tuple[int, int], _Group | Member] = {}

    def add(self, pairs: Iterable[Pair]) -> Iterator[Member]:
        """Yield the groups that are ready, now that these pairs have been read."""
        for record, vector in pairs:
            if isinstance(record, Rejection) or vector is None:
                self._reject(record)
                continue
            name = record.metadata.get(self._field, "")
            if not name:
                self._reject(record)
                continue
            group = self._waiting.get(name)
            if not isinstance(group, _Group):
                group = self._waiting[name] = _Group(name, self._sizes[name], record, np.zeros(len(vector)))
            self._join(group, record, vector)
        while self._waiting:
            key, first = next(iter(self._waiting.items()))
            if isinstance(first, _Group) and not first.is_complete:
                return
            del self._waiting[key]
            yield self._pooled(first) if isinstance(first, _Group) else first

    def _reject(self, record: Spectrum | Rejection) -> None:
        if not isinstance(record, Rejection):
            reason = NO_VALUE.format(self._field)
            record = Rejection(reason, record.id, record.record, record.line, self._source)
        self._tally.count(record)
        self._waiting[record.record, record.line] = (record, None, ())

    def _join(self, group: _Group, record: Spectrum, vector: Vector) -> None:
        group.places.append((record.id, record.record, record.line, record.notes))
        if record.repaired:
            group.repaired[record.repaired] = None
        if record.usi:
            group.usis[record.usi] = None
        if self._keep:
            group.members.append(record)
        if not len(group.isotopes):
            group.isotopes = record.isotopes
        group.precursors.append(record.precursor_mz)
        group.ions.append((record.adduct, record.charge, record.polarity))
        if record.adducts:
            group.adducts.append(record.adducts)
        group.total = group.total + vector.astype(np.float64)
        low, high = self._tolerance.window(group.first.precursor_mz)
        if not low <= record.precursor_mz <= high:
            group.reason = group.reason or SEVERAL_PRECURSORS
        for field in self._same:
            if record.metadata.get(field, "") != group.first.metadata.get(field, ""):
                group.reason = group.reason or SEVERAL_VALUES.format(field)

    def _pooled(self, group: _Group) -> Member:
        adducts, charges, polarities = (set(filter(None, values)) for values in zip(*group.ions, strict=True))
        if max(map(len, (adducts, charges, polarities))) > 1:
            group.reason = SEVERAL_ADDUCTS
        tried = [name for name in group.first.adducts if all(name in names for names in group.adducts)]
        tried = [name for name in tried if not polarities or (name[-1] == "+") == (max(polarities) > 0)]
        if group.first.adducts and not tried:
            group.reason = SEVERAL_ADDUCTS
        norm = np.linalg.norm(group.total)
        if not group.reason and norm < _LEAST_NORM:
            group.reason = CANCELLED
        for name, record, line, notes in group.places:
            rejection = Rejection(group.reason, name, record, line, self._source, f"{self._field} {group.name}")
            if self._tally.count(rejection if group.reason else group):
                self._tally.note(name, notes)
        if group.reason:
            return Rejection(group.reason, group.name, group.first.record, group.first.line, self._source), None, ()
        pooled = dataclasses.replace(
            group.first,
            id=group.name,
            adduct=_only(adducts),
            charge=_only(charges) or 0,
            polarity=_only(polarities) or 0,
            adducts=tuple(tried),
            isotopes=group.isotopes,
            precursor_mz=float(np.median(group.precursors)),
            **_of_all(group),
        )
        return pooled, group.total if group.size == 1 else group.total / norm, tuple(group.members)


def _of_all(group: _Group) -> dict[str, Any]:
    """The fields of a spectrum that say what was overruled in any of the group, and the identifiers of all."""
    added = {"usi": USI_SEPARATOR.join(group.usis)} if len(group.usis) > 1 else {}
    if not group.repaired:
        return {"metadata": types.MappingProxyType({**group.first.metadata, **added})} if added else {}
    metadata = {**group.first.metadata, **added, REPAIRED: "; ".join(group.repaired)}
    return {"metadata": types.MappingProxyType(metadata), "notes": (REPAIRED,)}


def _only(values: set[Value]) -> Value | None:
    """The value of a set of at most one, or None."""
    return next(iter(values), None)
