"""Mascot generic format (MGF), read fast and in constant memory, and written.

Not through pyteomics, on which matchms builds: it takes four times as long (5 MB: 0.8 s, here 0.2 s), drops spectra
with equal titles, and accepts three m/z with two intensities.

Plain records (KEY=VALUE lines, then lines of two numbers) are read many at a time, their peaks in one call of numpy.
Whatever is not plain (a third column, a comment, a broken line, ...) goes to `spectra.mgf_lines`, which is slower and
knows every case.
"""

from __future__ import annotations

import collections
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import VALUE_DECIDES, Unusable, add_field, canonical_key, parse_charge, plain_key
from specbridge_tools.spectra.ion_mode import polarity_of
from specbridge_tools.spectra.mgf_lines import LineParser
from specbridge_tools.spectra.peaks import plain_peaks, sound_peaks
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, line_blocks

_BEGIN = b"BEGIN IONS\n"
_EMPTY = b"BEGIN IONS"
_END = b"\nEND IONS\n"
_ENOUGH = 1 << 20  # bytes
_ANY_END = re.compile(rb"^[ \t]*END[ \t]+IONS[ \t]*\n", re.IGNORECASE | re.MULTILINE)
_ANY_EDGE = re.compile(rb"^[ \t]*(?:(END)|BEGIN)[ \t]+IONS[ \t]*\n", re.IGNORECASE | re.MULTILINE)
_OF_SEVERAL_USES = frozenset(map(canonical_key, VALUE_DECIDES))
_CONTROL = bytes({*range(32), 127} - {10})


class _Header(NamedTuple):
    """The fields of a plain record, the lines of its peaks, and the number of empty lines before it."""

    fields: dict[str, str]
    lines: bytes
    n_blank: int


class _Plain(NamedTuple):
    """A plain record; `sound` where its peaks are known to keep the rules."""

    fields: dict[str, str]
    peaks: NDArray[np.float64]
    sound: bool
    n_blank: int


def read_mgf(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each BEGIN IONS, in order.

    Lines outside of records yield one `Rejection` for each run of them; KEY=VALUE lines before the first record are
    defaults for every record. A record beyond the limits of `reading` is rejected, and its rest passed over.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the records of MS level 1, 3 and deeper, which are not yielded.
        record_range: Which records are wanted; here a record is everything up to an END IONS.
    """
    parser = LineParser(source, reading, skipped)
    record_range = record_range or RecordRange()
    pending, line = _Pending(), 1
    for block in line_blocks(stream, source):
        if not pending.size and (pending.is_passing or block.isspace()):
            # the rest of a record that is too long, or nothing at all
            rest = block[pending.end_of_passing(block) :] if pending.is_passing else b""
            line += block.count(b"\n") - rest.count(b"\n")
            block = rest
        if not block:
            continue
        if _END in block or block.startswith(_END[1:]):
            *records, rest = pending.taken(block).split(_END)
            yield from _finished(records, line, record_range, parser, reading)
            line += sum(record.count(b"\n") + 2 for record in records)
            pending.add(rest)
        elif b"ions" in block.lower() and (matches := list(_ANY_END.finditer(block))):
            for match, before in zip(matches, [0, *(match.end() for match in matches)], strict=False):
                record = pending.taken(block[before : match.end()])
                yield from _parsed(record, line, record_range, parser)
                line += record.count(b"\n")
            pending.add(block[matches[-1].end() :])
        else:
            pending.add(block)
        if pending.size > reading.max_record_size:
            record = pending.taken()
            yield from _parsed(_beginning(record), line, record_range, parser, unended=reasons.RECORD_TOO_LONG)
            line += record.count(b"\n")
            pending.is_passing = True
        if record_range.is_passed:
            return
    if (record := pending.taken()).strip():
        yield from _parsed(record, line, record_range, parser)


def _beginning(data: bytes) -> bytes:
    """What tells what a long run of lines is: up to the first megabyte of its last record, which has no end."""
    last = 0
    for edge in _ANY_EDGE.finditer(data):
        last = edge.start()
    return data[: data.find(b"\n", last + _ENOUGH) + 1] or data


class _Pending:
    """The blocks of a record that has not ended, joined once: it may be long.

    Attributes:
        size: Bytes of the blocks.
        is_passing: Whether what comes up to the next edge is the rest of a record that was rejected already.
    """

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self.size = 0
        self.is_passing = False

    def add(self, block: bytes) -> None:
        self._blocks.append(block)
        self.size += len(block)

    def taken(self, *blocks: bytes) -> bytes:
        """All blocks and these, which are then no longer pending."""
        together = b"".join([*self._blocks, *blocks])
        self._blocks, self.size = [], 0
        return together

    def end_of_passing(self, block: bytes) -> int:
        """Where in a block a record that is passed over ends: behind END IONS, before BEGIN IONS, or at its end."""
        edge = _ANY_EDGE.search(block) if b"ions" in block.lower() else None
        if edge is None:
            return len(block)
        self.is_passing = False
        return edge.end() if edge[1] else edge.start()


def _finished(
    records: list[bytes], line: int, record_range: RecordRange, parser: LineParser, reading: Reading
) -> Iterator[Spectrum | Rejection]:
    """What becomes of whole records (bytes before END IONS), the first of which begins at `line`."""
    wanted = [record_range.take() for _ in records]
    plain_records = _read_plain(list(itertools.compress(records, wanted)), reading)
    for record, is_wanted in zip(records, wanted, strict=True):
        if not is_wanted:
            parser.pass_over(record + _END, line)
        elif (plain := next(plain_records)) is None:
            yield from parser.parse(record + _END, line)
        else:
            fields, peaks, sound, n_blank = plain
            result = parser.finish(fields, peaks[:, 0], peaks[:, 1], line + n_blank, sound=sound)
            if result is not None:
                yield result
        line += record.count(b"\n") + 2


def _parsed(
    data: bytes, line: int, record_range: RecordRange, parser: LineParser, *, unended: str = reasons.RECORD_NOT_ENDED
) -> Iterator[Spectrum | Rejection]:
    if record_range.take():
        yield from parser.parse(data, line, unended=unended)
    else:
        parser.pass_over(data, line)


def _read_plain(records: list[bytes], reading: Reading) -> Iterator[_Plain | None]:
    """What each record (bytes before END IONS) holds, None where it is not plain, or beyond a limit."""
    headers = [_header(record, reading) for record in records]
    blocks = [header.lines for header in headers if header is not None]
    counts = [block.count(b"\n") for block in blocks]
    together = plain_peaks(b"".join(blocks))
    sound = together is not None and sound_peaks(together, np.cumsum(counts, dtype=np.int64))
    stretches = zip(itertools.accumulate(counts), counts, strict=True)
    for header in headers:
        if header is None:
            yield None
            continue
        end, count = next(stretches)
        peaks = plain_peaks(header.lines) if together is None else together[end - count : end]
        yield None if peaks is None else _Plain(header.fields, peaks, sound and count > 0, header.n_blank)


def _header(record: bytes, reading: Reading) -> _Header | None:
    """The parts of a plain record, None for any other."""
    if record.endswith(_EMPTY) and not (before := record[: -len(_EMPTY)]).strip(b"\n"):
        return _Header({}, b"", len(before))
    begin = record.find(_BEGIN)
    if begin < 0 or record[:begin].strip(b"\n") or len(record) - begin > reading.max_record_size:
        return None
    end = record.find(b"\n", record.rfind(b"="))
    header, block = (record[begin + 11 : end], record[end + 1 :] + b"\n") if end > 0 else (record[begin + 11 :], b"")
    if header.count(b"\n") >= reading.max_fields or block.count(b"\n") > reading.max_peaks:
        return None
    # C1 control characters are \xc2 and another byte in UTF-8
    if len(header.translate(None, _CONTROL)) != len(header) or b"\xc2" in header:
        return None
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError:
        return None
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        name = _PLAIN_NAME[key]
        if not equals or not name or name in fields:
            return None
        if name in _OF_SEVERAL_USES and plain_key(key) in VALUE_DECIDES:
            try:
                add_field(fields, key, value)
            except Unusable:
                return None
        elif value := value.strip():
            fields[name] = value
    return _Header(fields, block, begin)


class _PlainNames(dict[str, str]):
    """Key as in a file -> canonical name, "" for a key that is not plain; remembers."""

    def __missing__(self, key: str) -> str:
        if len(self) > 4096:
            self.clear()
        self[key] = name = canonical_key(key) if re.fullmatch(r"[A-Za-z_]\w*", key) else ""
        return name


_PLAIN_NAME = _PlainNames()


def write_mgf(spectra: Iterable[Spectrum], stream: TextIO) -> None:
    """Write spectra to an open text file; `read_spectra` returns them as they are, except for record and line."""
    for spectrum in spectra:
        stream.write(mgf_text(spectrum))


def mgf_text(spectrum: Spectrum) -> str:
    """One record of MGF with all metadata, and an empty line."""
    metadata = dict(spectrum.metadata)
    precursor = repr(float(spectrum.precursor_mz))
    if "precursor_intensity" in metadata:
        precursor += f" {metadata.pop('precursor_intensity')}"
    lines = ["BEGIN IONS", f"TITLE={_one_line(spectrum.id)}", f"PEPMASS={precursor}"]
    sign = "+" if spectrum.charge > 0 else "-"
    charge = f"{abs(spectrum.charge)}{sign}" if spectrum.charge else metadata.pop("charge", "")
    if charge:
        lines.append(f"CHARGE={charge}")
    if spectrum.adduct:
        lines.append(f"ADDUCT={spectrum.adduct}")
    has_sign = spectrum.charge or polarity_of(metadata.get("ionmode", "")) or (charge and parse_charge(charge).sign)
    if spectrum.polarity and not has_sign:
        lines.append(f"IONMODE={'positive' if spectrum.polarity > 0 else 'negative'}")
    lines += (f"{key.upper()}={_one_line(value)}" for key, value in metadata.items())
    # float32 in its own shortest form: 0.1, not 0.10000000149011612
    intensities = spectrum.intensity.astype(np.float32).astype(str).tolist()
    lines += (f"{mz!r} {intensity}" for mz, intensity in zip(spectrum.mz.tolist(), intensities, strict=True))
    return "\n".join(lines) + "\nEND IONS\n\n"


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
