"""Records of text formats: whole lines, numbered, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, line_blocks

MAX_RECORD = 1 << 26
MAX_LINES = 1_000_000
Raw = TypeVar("Raw")


class TextRecord:
    """The lines of a record, the first of which is number `line`; `problem` is the first that was seen."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: list[bytes] = []
        self.problem: Unusable | None = None
        self._size = 0

    def add(self, raw: bytes) -> None:
        """Keep a line, or note that the record is too long and forget its lines."""
        self._size += len(raw) + 1
        if self._size > MAX_RECORD or len(self.lines) >= MAX_LINES:
            self.note(reasons.RECORD_TOO_LONG, f"more than {MAX_RECORD >> 20} MB or {MAX_LINES:,} lines")
            self.lines = []
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
