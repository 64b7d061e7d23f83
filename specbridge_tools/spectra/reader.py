"""Spectra from a file of any format that we know, recognised by its content."""

from __future__ import annotations

import collections
import logging
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from specbridge_tools.errors import UsageError
from specbridge_tools.molecules.lines import joined
from specbridge_tools.records import Rejection
from specbridge_tools.shards import Counter, RecordRange
from specbridge_tools.spectra.json_library import read_json_library
from specbridge_tools.spectra.massbank import read_massbank
from specbridge_tools.spectra.mgf import read_mgf
from specbridge_tools.spectra.msp import read_msp
from specbridge_tools.spectra.mzml import read_mzml
from specbridge_tools.spectra.mzmlb import read_mzmlb
from specbridge_tools.spectra.mzspeclib import read_mzspeclib
from specbridge_tools.spectra.mzxml import read_mzxml
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.sirius import read_sirius
from specbridge_tools.spectra.sniff import HEAD, sniff
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream
from specbridge_tools.streams import Source, display_name, open_input


class _Reader(Protocol):
    """Reads the records of one format."""

    def __call__(
        self,
        stream: ByteStream,
        source: str,
        reading: Reading,
        skipped: collections.Counter[str],
        record_range: RecordRange | None,
    ) -> Iterator[Spectrum | Rejection]: ...


_READERS: dict[str, _Reader] = {
    "mgf": read_mgf,
    "msp": read_msp,
    "mzml": read_mzml,
    "mzxml": read_mzxml,
    "mzmlb": read_mzmlb,
    "massbank": read_massbank,
    "sirius": read_sirius,
    "json": read_json_library,
    "mzspeclib": read_mzspeclib,
}
FORMATS = ("auto", *_READERS)
logger = logging.getLogger(__name__)


def read_spectra(
    source: Source,
    *,
    reading: Reading = DEFAULT_READING,
    skipped: collections.Counter[str] | None = None,
    record_range: RecordRange | None = None,
    again: bool = False,
) -> Iterator[Spectrum | Rejection]:
    """Yield each record of `source` as a `Spectrum` or a `Rejection`, lazily.

    Spectra of MS1, MS3 and deeper are no queries: they are neither yielded nor rejected but counted, and
    their number is logged at the end. A file without any record, even an empty file, yields nothing, with a warning.
    The reasons for rejections are listed in `spectra.reasons`.

    Args:
        source: The file, gzip or not.
        reading: The format, of which auto looks at the first 64 KB of the content, and the rules.
        skipped: Counts the spectra that are no queries.
        record_range: Which records are wanted, all by default.
        again: Whether the file was read before, so that all was said that is logged.

    Raises:
        FormatError: The file is of no known format.
        DataError: It cannot be read to its end.
    """
    if reading.input_format not in FORMATS:
        raise UsageError(f"no format {reading.input_format!r}", advice=f"one of {', '.join(FORMATS)}")
    return _read(source, reading, collections.Counter() if skipped is None else skipped, record_range, again)


def count_spectra(source: Source, *, reading: Reading = DEFAULT_READING) -> int:
    """How many records a file has, as a `RecordRange` counts them; peaks are not looked at."""
    counter = Counter()
    collections.deque(read_spectra(source, reading=reading, record_range=counter), maxlen=0)
    return counter.n


def _read(
    source: Source, reading: Reading, skipped: collections.Counter[str], record_range: RecordRange | None, again: bool
) -> Iterator[Spectrum | Rejection]:
    with open_input(source) as stream:
        yield from read_stream(stream, display_name(source), reading, skipped, record_range, again=again)


def read_stream(
    stream: BinaryIO,
    name: str,
    reading: Reading,
    skipped: collections.Counter[str] | None = None,
    record_range: RecordRange | None = None,
    *,
    again: bool = False,
) -> Iterator[Spectrum | Rejection]:
    """`read_spectra` of an open file, unzipped, which messages call `name`."""
    skipped = collections.Counter() if skipped is None else skipped
    before, is_empty = collections.Counter(skipped), True
    head = stream.read(HEAD)
    file_format = sniff(head, name) if reading.input_format == "auto" else reading.input_format
    if file_format is not None:
        for record in _READERS[file_format](joined(head, stream), name, reading, skipped, record_range):
            is_empty = False
            yield record
    if again:
        return
    for reason, count in (skipped - before).items():
        logger.info("%s: %d spectra skipped (%s)", name, count, reason)
    if is_empty and record_range is None:
        text = "is empty" if file_format is None else "holds no spectra" + (" of MS2" if skipped - before else "")
        logger.warning("%s %s", name, text)
