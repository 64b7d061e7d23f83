"""Spectra of one compound as one query: their vectors averaged, their ions held against each other."""

import dataclasses

import numpy as np

from specbridge_tools.records import Rejection

NO_VALUE = "no {}"
SEVERAL_ADDUCTS = "spectra of several adducts in the group"
SEVERAL_PRECURSORS = "spectra of several precursors in the group"
SEVERAL_VALUES = "spectra of several values of {} in the group"
CANCELLED = "vectors of the group cancel"
# below this the direction of a mean of unit vectors is noise
_LEAST_NORM = 1e-6


@dataclasses.dataclass
class _Group:
    """What is kept of a group while it is read: of the peaks those of the first spectrum, or of all in `members`."""

    name: str
    size: int
    first: object
    places: list = dataclasses.field(default_factory=list)
    members: list = dataclasses.field(default_factory=list)
    precursors: list = dataclasses.field(default_factory=list)
    ions: list = dataclasses.field(default_factory=list)
    total: object = 0.0
    reason: str = ""

    @property
    def is_whole(self):
        return len(self.places) == self.size


class Groups:
    """Turns (record, vector) pairs into one (record, vector, members) a group, in the order of the first spectra.

    field      of the metadata; its value names the group. sizes: value -> number of spectra that have it, so that a
               group is answered with its last spectrum; where spectra of a group stand together nothing else is kept
    tolerance  how far a precursor may lie from that of the group's first spectrum
    same       fields of the metadata that must agree as well, where they are given
    tally      counts every spectrum, those of a group that cannot be used as rejected
    keep       whether the spectra of a group are wanted as its members; else these are ()

    The vector of a group is the mean of its spectra's unit vectors, at unit norm; that of a single spectrum is left as
    it is. Adduct, charge and polarity are those that any of the spectra tells, if none tells another; the precursor is
    the median. Records without the field are rejected.
    """

    def __init__(self, field, sizes, *, tolerance, same, tally, source, keep=False):
        self._field = field
        self._sizes = sizes
        self._tolerance = tolerance
        self._same = same
        self._tally = tally
        self._source = source
        self._keep = keep
        # by name in the order of first spectra; a rejected record stands as what is answered
        self._waiting = {}

    def add(self, pairs):
        """Yield the groups that are ready, now that these pairs have been read."""
        for record, vector in pairs:
            name = "" if isinstance(record, Rejection) else record.metadata.get(self._field, "")
            if not name:
                self._reject(record)
                continue
            group = self._waiting.get(name)
            if group is None:
                group = self._waiting[name] = _Group(name, self._sizes[name], record)
            self._join(group, record, vector)
        while self._waiting:
            key, first = next(iter(self._waiting.items()))
            if isinstance(first, _Group) and not first.is_whole:
                return
            del self._waiting[key]
            yield self._pooled(first) if isinstance(first, _Group) else first

    def _reject(self, record):
        if not isinstance(record, Rejection):
            reason = NO_VALUE.format(self._field)
            record = Rejection(reason, record.id, record.record, record.line, self._source)
        self._tally.count(record)
        self._waiting[record.record, record.line] = (record, None, ())

    def _join(self, group, record, vector):
        group.places.append((record.id, record.record, record.line))
        if self._keep:
            group.members.append(record)
        group.precursors.append(record.precursor_mz)
        group.ions.append((record.adduct, record.charge, record.polarity))
        group.total = group.total + vector.astype(np.float64)
        low, high = self._tolerance.window(group.first.precursor_mz)
        if not low <= record.precursor_mz <= high:
            group.reason = group.reason or SEVERAL_PRECURSORS
        for field in self._same:
            if record.metadata.get(field, "") != group.first.metadata.get(field, ""):
                group.reason = group.reason or SEVERAL_VALUES.format(field)

    def _pooled(self, group):
        adduct, charge, polarity = (_agreed(values) for values in zip(*group.ions, strict=True))
        if _CONFLICT in (adduct, charge, polarity):
            group.reason = SEVERAL_ADDUCTS
        norm = np.linalg.norm(group.total)
        if not group.reason and norm < _LEAST_NORM:
            group.reason = CANCELLED
        for name, record, line in group.places:
            place = Rejection(group.reason, name, record, line, self._source, f"{self._field} {group.name}")
            self._tally.count(place if group.reason else group)
        if group.reason:
            return Rejection(group.reason, group.name, group.first.record, group.first.line, self._source), None, ()
        pooled = {"adduct": adduct or None, "charge": charge or 0, "polarity": polarity or 0}
        pooled["precursor_mz"] = float(np.median(group.precursors))
        vector = group.total if group.size == 1 else group.total / norm
        return dataclasses.replace(group.first, id=group.name, **pooled), vector, tuple(group.members)


_CONFLICT = object()


def _agreed(values):
    """The one value that is told (neither None nor 0); None where none is, `_CONFLICT` where two are."""
    told = {value for value in values if value}
    return _CONFLICT if len(told) > 1 else next(iter(told), None)
