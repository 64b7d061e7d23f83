"""Records of text formats: whole lines, numbered, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place
from specbridge_tools.spectra.fields import Several, Unusable, add_field, is_unknown
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, line_blocks

Raw = TypeVar("Raw")


class TextRecord:
    """The lines of a record, the first of which is number `line`; `problem` is the first that was seen."""

    def __init__(self, line: int, reading: Reading) -> None:
        self.line = line
        self._max_size = reading.max_record_size
        self._max_lines = reading.max_peaks + reading.max_fields
        self.lines: list[bytes] = []
        self.problem: Unusable | None = None
        self._size = 0

    def add(self, raw: bytes) -> None:
        """Keep a line, or note that the record is too long and forget its lines."""
        self._size += len(raw) + 1
        if self._size > self._max_size or len(self.lines) >= self._max_lines:
            detail = f"more than {self._max_size:,} bytes" if self._size > self._max_size else "too many lines"
            self.problem = Unusable(reasons.RECORD_TOO_LONG, detail)
            self.lines = self.lines[:1]
        elif self.problem is None or self.problem.reason != reasons.RECORD_TOO_LONG:
            self.lines.append(raw)

    def note(self, reason: str, detail: str) -> None:
        """Keep the first problem."""
        self.problem = self.problem or Unusable(reason, detail)

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number, line without white space around it) of lines that are not empty."""
        for line, raw in enumerate(self.lines, self.line):
            if raw and not raw.isspace():
                yield line, raw


class RecordFields:
    """The fields of a record, added one by one; `problem` is the first that they had, or that there are too many."""

    def __init__(self, fields: dict[str, str], reading: Reading) -> None:
        self.fields = fields
        self.problem: Unusable | None = None
        self._several = Several()
        self._most = reading.max_fields
        self._n = 0

    def add(self, key: str, value: str) -> None:
        """Add a field."""
        self._n += 1
        try:
            if self._n > self._most:
                raise Unusable(reasons.TOO_MANY_FIELDS, f"more than {self._most:,}")
            if "\0" in value or "\0" in key:
                raise Unusable(reasons.NUL_BYTES, key.replace("\0", " ")[:40])
            add_field(self.fields, key, value, self._several)
        except Unusable as error:
            self.problem = self.problem or error

    def add_missing(self, key: str, value: str) -> None:
        """Add a field unless it says something already."""
        if key not in self._several and is_unknown(self.fields.get(key, "")) and not is_unknown(value):
            self.fields.pop(key, None)
            self.add(key, value)

    def finish(self) -> None:
        """Complete the fields.

        Raises:
            Unusable: They had a problem.
        """
        self._several.join(self.fields)
        if self.problem:
            raise self.problem


def check_number_of_peaks(n: int, reading: Reading) -> None:
    """Raise `Unusable` for too many."""
    if n > reading.max_peaks:
        raise Unusable(reasons.TOO_MANY_PEAKS, f"more than {reading.max_peaks:,}")


def numbered_lines(stream: ByteStream, source: str) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line without its end) of a file, constant memory.

    Raises:
        DataError: A line is longer than 64 MB.
    """
    line = 0
    for block in line_blocks(stream, source):
        for raw in block.split(b"\n")[:-1]:
            line += 1
            yield line, raw


def spectra_of(
    raws: Iterable[Raw],
    source: str,
    line_of: Callable[[Raw], int],
    build: Callable[[Raw, Place], Spectrum | Rejection | None],
    record_range: RecordRange | None,
) -> Iterator[Spectrum | Rejection]:
    """Yield what becomes of each wanted record, in order; `build` gives None for one that it has counted as skipped."""
    record_range = record_range or RecordRange()
    for number, raw in enumerate(raws, 1):
        if record_range.take():
            result = build(raw, Place(source, number, line_of(raw)))
            if result is not None:
                yield result
        if record_range.is_passed:
            return
