"""Which spectra of a reader are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from specbridge_tools.records import Rejection
from specbridge_tools.spectra.spectrum import Spectrum


def only(
    records: Iterable[Spectrum | Rejection], is_wanted: Callable[[Spectrum], bool], reason: str
) -> Iterator[Spectrum | Rejection]:
    """Yield all records, but for a spectrum that is not wanted its rejection for this reason."""
    for record in records:
        if isinstance(record, Rejection) or is_wanted(record):
            yield record
        else:
            yield Rejection(reason, record.id, record.record, record.line)
