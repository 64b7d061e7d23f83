"""MSP, the text format of NIST, as NIST, MassBank, MoNA, RIKEN and MS-DIAL write it; read in constant memory.

A record is `Key: value` lines, with `Num Peaks: n` and n peaks after it. It ends at an empty line or at the next
`Name:`. Fields behind the peaks are the record's own, unless another `Num Peaks:` follows: then they begin the next
record. An empty line just before `Num Peaks:`, or before the first peak, ends nothing. Fields of which no `Name:` and
no `Num Peaks:` make a record are text outside of records.

The layout of MS-FINDER (`.mat`) has two parts under one header, `MSTYPE: MS1` and `MSTYPE: MS2`, each with its
`Num Peaks:`; each part counts as a record.

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
from specbridge_tools.spectra.build import Place, spectrum_or_rejection, stray_text
from specbridge_tools.spectra.fields import Several, Unusable, add_field, canonical_key, plain_key
from specbridge_tools.spectra.isotopes import with_isotopes
from specbridge_tools.spectra.ms_level import ms_level, skip_reason
from specbridge_tools.spectra.msp_peaks import PeakArray, read_peaks, sound_peaks
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, decoded, line_blocks

_HEADER = re.compile(rb"\s*([A-Za-z_$][^:\n]{0,60}):(.*)", re.DOTALL)
_NUMERIC_START = re.compile(rb"\s*[(\[{]?\s*[+-]?[\d.]")
_NUMERIC_HEADER = re.compile(rb"\s*(\d[^:\n]{0,60}[A-Za-z][^:\n]{0,60}):(.*)", re.DOTALL)
_PART = "mstype"
_MAY_END = (b"", b"N", b"n", b"M", b"m")
"""How a line begins that may end a record: an empty one, Name, Num Peaks, MSTYPE."""
# Comments of MoNA, "key=value" "key=value"; of NIST, key=value key="a b"; of MS-DIAL, |KEY=value|KEY=value
_PAIR = re.compile(r'(?<!\S)(?:"([^"=]+)=([^"]*)"|([A-Za-z_][\w/#]*)=("[^"]*"|\S+))')
_BARRED = re.compile(r"^\s*\||\|\s*PEAKID=", re.IGNORECASE)


def read_msp(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each record, in order: at least one for each `Name:`.

    Pairs `key=value` in the comments count where the record has no such field. Lines outside of records yield one
    `Rejection` for each run of them.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the records of MS level 1, 3 and deeper, which are not yielded.
        record_range: Which of the spectra and rejections are wanted.
    """
    yield from (record_range or RecordRange()).filter(_read(stream, source, reading, skipped))


def _read(
    stream: ByteStream, source: str, reading: Reading, skipped: collections.Counter[str]
) -> Iterator[Spectrum | Rejection]:
    parser = _Parser(source, reading, skipped)
    line = 0
    for block in line_blocks(stream, source):
        for line, raw in enumerate(block.split(b"\n")[:-1], line + 1):  # noqa: B020
            if ended := parser.take(raw, line):
                yield from ended
    yield from parser.end()


class _Record:
    """A record that has begun; `is_full` once it is beyond a limit.

    `n_expected` is its Num Peaks once that was read, -1 where it is no number; `behind` are the (key, value, line) of
    the fields behind its peaks; `paused` is set by an empty line that may not be its end; `ms1` are peaks of that part.
    """

    def __init__(self, raw: bytes, line: int, reading: Reading) -> None:
        self.raw = raw
        self.line = line
        self._reading = reading
        self.fields: dict[str, str] = {}
        self.several = Several()
        self.n_fields = 0
        self.is_full = False
        self.behind: list[tuple[str, str, int]] = []
        self.paused = False
        self.has_parts = False
        self.n_names = 0
        self.n_expected: int | None = None
        self.peaks: list[bytes] = []
        self.size = 0
        self.problem: Unusable | None = None
        self.ms1: PeakArray | None = None

    def note(self, reason: str, detail: str) -> None:
        """Keep the first problem."""
        self.problem = self.problem or Unusable(reason, detail)

    def fill(self, reason: str, most: int) -> None:
        """Reject the record: it holds more than `most`; nothing more is taken."""
        if not self.is_full:
            self.problem, self.is_full = Unusable(reason, f"more than {most:,}"), True
            self.peaks, self.behind = [b""] * bool(self.peaks), self.behind[:1]

    def grow(self, raw: bytes) -> None:
        """Count the bytes of a line."""
        self.size += len(raw)
        if self.size > self._reading.max_record_size:
            self.fill(reasons.RECORD_TOO_LONG, self._reading.max_record_size)

    def count_field(self) -> bool:
        """Count a field; whether there is room for it."""
        self.n_fields += 1
        if self.n_fields > self._reading.max_fields:
            self.fill(reasons.TOO_MANY_FIELDS, self._reading.max_fields)
        return not self.is_full

    def add_peaks(self, raw: bytes) -> None:
        """Add a line of peaks."""
        self.paused = False
        if len(self.peaks) >= self._reading.max_peaks:
            self.fill(reasons.TOO_MANY_PEAKS, self._reading.max_peaks)
        if not (self.is_full and self.peaks):
            self.peaks.append(raw)

    def add(self, key: str, value: str, line: int) -> None:
        """Add a field, or note what is wrong with it."""
        if not self.count_field():
            return
        if "\0" in key + value:
            self.note(reasons.NUL_BYTES, f"line {line}")
            return
        self.has_parts |= plain_key(key) == _PART
        try:
            add_field(self.fields, key, value, self.several)
        except Unusable as error:
            self.note(error.reason, error.detail)

    @property
    def is_stray(self) -> bool:
        """Whether it is but fields, of no record."""
        return not (self.n_names or self.problem) and self.n_expected is None

    @property
    def is_first_part(self) -> bool:
        return self.has_parts and ms_level(self.fields.get("mslevel", "")) == 1


class _Parser:
    def __init__(self, source: str, reading: Reading, skipped: collections.Counter[str]) -> None:
        self._source = source
        self._reading = reading
        self._skipped = skipped
        self._n_records = 0
        self._record: _Record | None = None
        self._stray: tuple[bytes, int] | None = None
        self._ms1: PeakArray | None = None

    def take(self, raw: bytes, line: int) -> list[Spectrum | Rejection] | None:
        """Take one line; returns the records that it ended."""
        record = self._record
        if record is not None:
            record.grow(raw)
            if record.is_full and raw.lstrip()[:1] not in _MAY_END:
                return None
        in_peaks = record if record is not None and record.n_expected is not None else None
        is_number = raw[:1].isdigit() or _NUMERIC_START.match(raw) is not None
        if in_peaks and is_number and not (in_peaks.paused and in_peaks.peaks):
            in_peaks.add_peaks(raw)
            return None
        if not raw.strip():
            return self._empty_line()
        if header := _HEADER.fullmatch(raw) or (record and not in_peaks and _NUMERIC_HEADER.fullmatch(raw)):
            return self._header(raw, decoded(header[1]), decoded(header[2]), line)
        ended = self.end() if record and record.paused else None
        record = self._record
        if record is None:
            self._stray = self._stray or (raw, line)
        elif in_peaks:
            in_peaks.add_peaks(raw)
        elif is_number:
            record.note(reasons.PEAK_COUNT_DIFFERS, f"line {line}: peaks without Num Peaks")
        else:
            record.add("comments", decoded(raw), line)
        return ended

    def _empty_line(self) -> list[Spectrum | Rejection] | None:
        """End the record, but for a line just before Num Peaks, before the peaks, or between parts."""
        record = self._record
        if record is None:
            return None
        has_peaks = bool(record.n_expected is not None and (record.peaks or record.behind or not record.n_expected))
        if has_peaks and not record.is_first_part:
            return self.end()
        record.paused = True
        return None

    def end(self) -> list[Spectrum | Rejection]:
        """End what is open; returns what became of it."""
        ended: list[Spectrum | Rejection] = []
        record = self._record
        if record and record.is_stray:
            self._stray = self._stray or (record.raw, record.line)
            record = None
        if self._stray:
            ended.append(stray_text(*self._stray, self._source))
        if record:
            result = self._close(record)
            ended += [] if result is None else [result]
        self._stray = self._record = None
        return ended

    def _header(self, raw: bytes, key: str, value: str, line: int) -> list[Spectrum | Rejection] | None:
        record, ended = self._record, None
        plain = plain_key(key)
        is_name, is_count = plain == "name", canonical_key(key).replace("_", "") == "numpeaks"
        begins_part = plain == _PART and record is not None and record.is_first_part and not record.behind
        ends = is_name and record is not None and (record.n_names > 0 or record.n_expected is not None)
        if record is not None and record.paused and not begins_part:
            ends |= not is_count or record.n_expected is not None
        if record is None or ends:
            ended, record = self._next(raw, line)
        elif record.n_expected is not None and is_count:
            ended, record = self._next_of(record, raw, line)
        elif record.n_expected is not None:
            if record.count_field():
                record.behind.append((key, value, line))
            record.paused = False
            return None
        record.paused = False
        record.n_names += is_name
        if is_count:
            record.n_expected = int(value) if re.fullmatch(r"\s*[0-9]{1,9}\s*", value) else -1
            if record.n_expected < 0:
                record.note(reasons.PEAK_COUNT_DIFFERS, f"line {line}: Num Peaks: {value.strip()}")
        else:
            record.add(key, value, line)
        return ended

    def _next(self, raw: bytes, line: int) -> tuple[list[Spectrum | Rejection], _Record]:
        ended = self.end()
        self._record = record = _Record(raw, line, self._reading)
        return ended, record

    def _next_of(self, record: _Record, raw: bytes, line: int) -> tuple[list[Spectrum | Rejection], _Record]:
        """End a record whose peaks are followed by another Num Peaks; the fields between begin the next one."""
        behind, record.behind = record.behind, []
        is_part = bool(behind) and record.has_parts and plain_key(behind[0][0]) == _PART
        record.several.join(record.fields)
        shared = {name: text for name, text in record.fields.items() if name != "mslevel"} if is_part else {}
        ended, following = self._next(raw, behind[0][2] if behind else line)
        following.fields.update(shared)
        following.ms1 = self._ms1 if is_part else None
        following.n_fields, following.n_names = (record.n_fields, record.n_names) if is_part else (0, 0)
        for field in behind:
            following.add(*field)
        return ended, following

    def _close(self, record: _Record) -> Spectrum | Rejection | None:
        self._n_records += 1
        place = Place(self._source, self._n_records, record.line)
        record.n_fields -= len(record.behind)
        for field in record.behind:
            record.add(*field)
        record.several.join(record.fields)
        try:
            if record.problem:
                raise record.problem
            _take_comment_pairs(record.fields, self._reading.max_fields)
            if reason := skip_reason(record.fields.get("mslevel"), self._reading):
                self._skipped[reason] += 1
                self._ms1 = sound_peaks(record.peaks, self._reading) if record.has_parts else None
                return None
            peaks = read_peaks(record.peaks, record.n_expected or 0, self._reading.max_peaks)
        except Unusable as error:
            return place.rejection(error, record.fields)
        self._ms1, mz, intensity = record.ms1, peaks[:, 0], peaks[:, 1]
        return with_isotopes(spectrum_or_rejection(record.fields, mz, intensity, place, self._reading), record.ms1)


def _take_comment_pairs(fields: dict[str, str], most: int) -> None:
    comments = fields.get("comments") or fields.get("comment") or ""
    pairs: Iterator[tuple[str, str]]
    if _BARRED.search(comments):
        pairs = ((key, value) for key, equals, value in (pair.partition("=") for pair in comments.split("|")) if equals)
    else:
        pairs = ((match[1] or match[3], match[2] or match[4] or "") for match in _PAIR.finditer(comments))
    for number, (key, value) in enumerate(pairs):
        if number == most:
            raise Unusable(reasons.TOO_MANY_FIELDS, f"more than {most:,} in the comments")
        if canonical_key(key) not in fields:
            add_field(fields, key, value.strip('";,'))
