"""The spectra of hits that come from a table: each query with its own, or with those of its group."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from specbridge_tools.errors import DataError
from specbridge_tools.hits.hits import Hits
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.fields import canonical_key
from specbridge_tools.spectra.spectrum import Spectrum

_ADVICE = "give the file that sb-query has read, and --group-by where it had one"


class SpectrumSource(Protocol):
    """Spectra that can be read, and for groups be read twice."""

    def records(self) -> Iterator[Spectrum | Rejection]:
        """Yield the records from the start."""
        ...

    def count_values(self, value_of: Callable[[Spectrum], str]) -> Counter[str]:
        """How many spectra have each value."""
        ...


def with_spectra(queries: Iterable[Hits], source: SpectrumSource, *, unanswered: bool = False) -> Iterator[Hits]:
    """Yield the hits of each query with the next of the spectra that is its query.

    Args:
        queries: In the order of the spectra.
        source: The spectra.
        unanswered: Whether a query without a candidate gets its spectrum, too, if that can be used.

    Raises:
        DataError: Where there is none: spectra without hits are passed over, but the order must be that of the hits.
    """
    records = iter(source.records())
    for hits in queries:
        if len(hits):
            yield dataclasses.replace(hits, spectra=(_next_spectrum(records, hits),))
        else:
            yield dataclasses.replace(hits, spectra=_own_spectrum(records, hits)) if unanswered else hits


def _own_spectrum(records: Iterator[Spectrum | Rejection], hits: Hits) -> tuple[Spectrum, ...]:
    """The next record that is the query, () where it cannot be used."""
    for record in records:
        if _is_query(record, hits):
            return (record,) if isinstance(record, Spectrum) else ()
    raise _not_among(hits)


def _usable(source: SpectrumSource) -> Iterator[Spectrum]:
    return (record for record in source.records() if isinstance(record, Spectrum))


def _next_spectrum(records: Iterator[Spectrum | Rejection], hits: Hits) -> Spectrum:
    rejected = None
    for record in records:
        if _is_query(record, hits):
            if isinstance(record, Spectrum):
                return record
            rejected = rejected or record
    if rejected is not None:
        message = f"query {hits.query_id!r} of the hits cannot be used as it is read here: {rejected.reason}"
        raise DataError(message, advice="give the options with which sb-query read it, such as --repair or --msn")
    raise _not_among(hits)


def _is_query(record: Spectrum | Rejection, hits: Hits) -> bool:
    return record.id == hits.query_id and (not hits.record or record.record in (0, hits.record))


def _not_among(hits: Hits) -> DataError:
    message = f"query {hits.query_id!r} of the hits is not among the spectra, or not in the order of the hits"
    return DataError(message, advice=_ADVICE)


def with_groups(
    queries: Iterable[Hits], source: SpectrumSource, field: str, *, unanswered: bool = False
) -> Iterator[Hits]:
    """Yield the hits of each query with all spectra whose metadata `field` is the query's id.

    The source is read twice. Spectra of groups that are not complete yet are kept. `unanswered` as in `with_spectra`.

    Raises:
        DataError: Where a group has no spectra.
    """
    key = canonical_key(field)
    sizes = source.count_values(lambda spectrum: spectrum.metadata.get(key, ""))
    spectra = _usable(source)
    waiting: dict[str, list[Spectrum]] = {}
    passed = {""}
    for hits in queries:
        if len(hits) or (unanswered and hits.query_id in sizes):
            group = _complete_group(spectra, key, hits.query_id, sizes, waiting, passed)
            hits = dataclasses.replace(hits, spectra=group)
        yield hits
        passed.add(hits.query_id)
        waiting.pop(hits.query_id, None)


def _complete_group(
    spectra: Iterator[Spectrum],
    key: str,
    name: str,
    sizes: Counter[str],
    waiting: dict[str, list[Spectrum]],
    passed: set[str],
) -> tuple[Spectrum, ...]:
    """All spectra of the group `name`; those of other groups, but for the names in `passed`, go to `waiting`."""
    while len(waiting.get(name, ())) < sizes.get(name, 1):
        spectrum = next(spectra, None)
        if spectrum is None:
            message = f"no spectra with {key} {name!r}, which is a query of the hits"
            raise DataError(message, advice=_ADVICE)
        value = spectrum.metadata.get(key, "")
        if value not in passed:
            waiting.setdefault(value, []).append(spectrum)
    return tuple(waiting[name])
