"""MSP, the text format of NIST, as NIST, MassBank, MoNA, RIKEN and MS-DIAL write it; read in constant memory.

A record is `Key: value` lines, the last of them `Num Peaks: n`, then n peaks. It ends at an empty line after its
peaks, at the next `Name:`, or at any other `Key:` after its peaks.

Not through matchms: there a record with fewer peaks than it promises swallows the next one, and the first line that is
no peak ends the reading. pyteomics reads no MSP.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, is_ms1, spectrum_or_rejection, stray_text
from specbridge_tools.spectra.fields import Unusable, add_field, canonical_key, plain_key
from specbridge_tools.spectra.msp_peaks import read_peaks
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, decoded, line_blocks

MAX_RECORD = 1 << 26
_HEADER = re.compile(rb"\s*([A-Za-z_$][^:\n]{0,60}):(.*)", re.DOTALL)
_NUMERIC_START = re.compile(rb"\s*[(\[{]?\s*[+-]?[\d.]")
_QUOTED_PAIR = re.compile(r'"([^"=]+)=([^"]*)"')
_PLAIN_PAIR = re.compile(r'(?<!\S)([A-Za-z_][\w/#]*)=("[^"]*"|\S+)')


def read_msp(
    stream: ByteStream, source: str, skipped: collections.Counter[str], record_range: RecordRange | None = None
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each record, in order: at least one for each `Name:`.

    Pairs `key=value` in the comments count where the record has no such field. Lines outside of records yield one
    `Rejection` for each run of them.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        skipped: Counts the records of MS level 1, which are not yielded.
        record_range: Which of the spectra and rejections are wanted.
    """
    yield from (record_range or RecordRange()).filter(_read(stream, source, skipped))


def _read(stream: ByteStream, source: str, skipped: collections.Counter[str]) -> Iterator[Spectrum | Rejection]:
    parser = _Parser(source, skipped)
    line = 0
    for block in line_blocks(stream, source):
        for line, raw in enumerate(block.split(b"\n")[:-1], line + 1):  # noqa: B020
            if ended := parser.take(raw, line):
                yield from ended
    yield from parser.end()


class _Record:
    """A record that has begun; `n_expected` is its Num Peaks once that was read, -1 where it is no number."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.fields: dict[str, str] = {}
        self.n_names = 0
        self.n_expected: int | None = None
        self.peaks: list[bytes] = []
        self.size = 0
        self.problem: Unusable | None = None

    def note(self, reason: str, detail: str) -> None:
        """Keep the first problem."""
        self.problem = self.problem or Unusable(reason, detail)


class _Parser:
    def __init__(self, source: str, skipped: collections.Counter[str]) -> None:
        self._source = source
        self._skipped = skipped
        self._n_records = 0
        self._record: _Record | None = None
        self._stray: tuple[bytes, int] | None = None

    def take(self, raw: bytes, line: int) -> list[Spectrum | Rejection] | None:
        """Take one line; returns the records that it ended."""
        record = self._record
        in_peaks = record if record is not None and record.n_expected is not None else None
        if in_peaks and (raw[:1].isdigit() or _NUMERIC_START.match(raw)):
            return self._peaks(in_peaks, raw, line)
        if not raw.strip():
            # an empty line may stand before the peaks, not among them
            return self.end() if in_peaks and (in_peaks.peaks or not in_peaks.n_expected) else None
        if header := _HEADER.fullmatch(raw):
            return self._header(decoded(header[1]), decoded(header[2]), line)
        if record is None:
            self._stray = self._stray or (raw, line)
        elif in_peaks:
            return self._peaks(in_peaks, raw, line)
        elif _NUMERIC_START.match(raw):
            record.note(reasons.PEAK_COUNT_DIFFERS, f"line {line}: peaks without Num Peaks")
        else:
            self._field(record, "comments", decoded(raw), line)
        return None

    def end(self) -> list[Spectrum | Rejection]:
        """End what is open; returns what became of it."""
        ended: list[Spectrum | Rejection] = []
        if self._stray:
            ended.append(stray_text(*self._stray, self._source))
        if self._record:
            result = self._close(self._record)
            ended += [] if result is None else [result]
        self._stray = self._record = None
        return ended

    def _header(self, key: str, value: str, line: int) -> list[Spectrum | Rejection] | None:
        record, ended = self._record, None
        is_name = plain_key(key) == "name"
        if record is None or record.n_expected is not None or (is_name and record.n_names):
            ended = self.end()
            record = self._record = _Record(line)
        record.n_names += is_name
        if canonical_key(key).replace("_", "") == "numpeaks":
            record.n_expected = int(value) if re.fullmatch(r"\s*[0-9]{1,9}\s*", value) else -1
            if record.n_expected < 0:
                record.note(reasons.PEAK_COUNT_DIFFERS, f"line {line}: Num Peaks: {value.strip()}")
        else:
            self._field(record, key, value, line)
        return ended

    @staticmethod
    def _field(record: _Record, key: str, value: str, line: int) -> None:
        if "\0" in key + value:
            record.note(reasons.NUL_BYTES, f"line {line}")
            return
        try:
            add_field(record.fields, key, value)
        except Unusable as error:
            record.note(error.reason, error.detail)

    @staticmethod
    def _peaks(record: _Record, raw: bytes, line: int) -> None:
        record.size += len(raw)
        if record.size > MAX_RECORD:
            record.note(reasons.RECORD_TOO_LONG, f"line {line}")
            record.peaks = [b""]
        else:
            record.peaks.append(raw)

    def _close(self, record: _Record) -> Spectrum | Rejection | None:
        self._n_records += 1
        place = Place(self._source, self._n_records, record.line)
        try:
            if record.problem:
                raise record.problem
            _take_comment_pairs(record.fields)
            if is_ms1(record.fields):
                self._skipped[reasons.SKIPPED_MS1] += 1
                return None
            peaks = read_peaks(record.peaks, record.n_expected or 0)
        except Unusable as error:
            return place.rejection(error, record.fields)
        return spectrum_or_rejection(record.fields, peaks[:, 0], peaks[:, 1], place)


def _take_comment_pairs(fields: dict[str, str]) -> None:
    comments = fields.get("comments") or fields.get("comment") or ""
    for key, value in _QUOTED_PAIR.findall(comments) or _PLAIN_PAIR.findall(comments):
        if canonical_key(key) not in fields:
            add_field(fields, key, value.strip('";,'))
