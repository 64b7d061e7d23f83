"""Records of MassBank as the consortium publishes them: one in a file, or several, each ended by `//`.

Tags and subtags: MassBank Record Format 2.6, https://github.com/MassBank/MassBank-web. matchms has no reader of them.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.ms_level import skip_reason
from specbridge_tools.spectra.peaks import number, peak_array
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream, decoded
from specbridge_tools.spectra.text_records import (
    RecordFields,
    TextRecord,
    check_number_of_peaks,
    numbered_lines,
    spectra_of,
)

_END = b"//"
_BEGIN = b"ACCESSION:"
_TAG = re.compile(rb"([A-Z][A-Z0-9_$]*):[ \t]*(.*)", re.DOTALL)
_PEAKS = "PK$PEAK"
_COUNT = "PK$NUM_PEAK"
# Their values are `SUBTAG value`, and the subtag names the field.
_WITH_SUBTAGS = frozenset(
    ("AC$MASS_SPECTROMETRY", "AC$CHROMATOGRAPHY", "AC$GENERAL", "MS$FOCUSED_ION", "MS$DATA_PROCESSING")
)
_FIELDS = {
    "CH$NAME": "name",
    "CH$FORMULA": "formula",
    "CH$SMILES": "smiles",
    "CH$IUPAC": "inchi",
    "CH$EXACT_MASS": "exact_mass",
    "CH$COMPOUND_CLASS": "compound_class",
    "AC$INSTRUMENT": "instrument",
    "AC$INSTRUMENT_TYPE": "instrument_type",
    "MS_TYPE": "mslevel",
    "PRECURSOR_INT": "precursor_intensity",
    "PK$SPLASH": "splash",
}
_SUBTAG_KEYS = {"MS$DATA_PROCESSING": "data_processing_", "CH$LINK": "link_", "SP$LINK": "sample_link_"}


def read_massbank(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each record, in order: what ends at `//`, or before another ACCESSION.

    The intensities are those of the second column, `int.`.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the records of MS level 1, 3 and deeper, which are not yielded.
        record_range: Which records are wanted, those of every level counted.
    """

    def build(record: TextRecord, place: Place) -> Spectrum | Rejection | None:
        return _spectrum(record, place, reading, skipped)

    return spectra_of(_records(stream, source, reading), source, lambda record: record.line, build, record_range)


def _records(stream: ByteStream, source: str, reading: Reading) -> Iterator[TextRecord]:
    record: TextRecord | None = None
    for line, raw in numbered_lines(stream, source):
        text = raw.strip()
        if text == _END:
            if record is not None:
                yield record
            record = None
            continue
        if record is not None and raw.startswith(_BEGIN) and any(line.startswith(_BEGIN) for line in record.lines[:20]):
            record.note(reasons.RECORD_NOT_ENDED, f"line {line}: another ACCESSION before //")
            yield record
            record = None
        if record is None and text:
            record = TextRecord(line, reading)
        if record is not None:
            record.add(raw)
    if record is not None:
        record.note(reasons.RECORD_NOT_ENDED, "no //")
        yield record


def _spectrum(
    record: TextRecord, place: Place, reading: Reading, skipped: collections.Counter[str]
) -> Spectrum | Rejection | None:
    fields: dict[str, str] = {}
    adding = RecordFields(fields, reading)
    problem = record.problem
    peaks: list[tuple[int, bytes]] = []
    count = ""
    tag = ""
    for line, raw in record.numbered():
        match = None if raw[:1].isspace() else _TAG.match(raw)
        try:
            if match is None:
                _check_indented(tag, line, raw)
                if tag == _PEAKS:
                    peaks.append((line, raw))
                continue
            tag, value = match[1].decode(), decoded(match[2])
            if tag == _COUNT:
                count = value.strip()
            elif tag == "DEPRECATED":
                raise Unusable(reasons.DEPRECATED_RECORD, value)
            elif not tag.startswith((_PEAKS, "PK$ANNOTATION")):
                _add(adding, tag, value)
        except Unusable as error:
            problem = problem or error
    try:
        adding.problem = problem or adding.problem
        adding.finish()
        if reason := skip_reason(fields.get("mslevel"), reading):
            skipped[reason] += 1
            return None
        mz, intensity = _read_peaks(peaks, count, reading)
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, mz, intensity, place, reading)


def _check_indented(tag: str, line: int, raw: bytes) -> None:
    """Refuse a line without a tag that continues none: only peaks and annotations have several lines."""
    if not tag.startswith("PK$") and not raw[:1].isspace():
        raise Unusable(reasons.TEXT_OUTSIDE_RECORDS, f"line {line}: {decoded(raw[:40])!r} has no tag")


def _add(adding: RecordFields, tag: str, value: str) -> None:
    key = _FIELDS.get(tag, tag)
    if tag in _WITH_SUBTAGS or tag in _SUBTAG_KEYS:
        subtag, _, value = value.partition(" ")
        key = _FIELDS.get(subtag, _SUBTAG_KEYS.get(tag, "") + subtag)
        if tag == "CH$LINK" and subtag == "INCHIKEY":
            key = "inchikey"
    if key == "name" and "name" in adding.fields:
        key = "synonym"
    adding.add(key, value)


def _read_peaks(
    lines: list[tuple[int, bytes]], count: str, reading: Reading
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lines of `m/z int. rel.int.` -> m/z and intensity, (n,) each."""
    if not lines:
        raise Unusable(reasons.NO_PEAKS, f"PK$NUM_PEAK is {count or 'missing'}")
    check_number_of_peaks(len(lines), reading)
    peaks = []
    for line, raw in lines:
        columns = decoded(raw).split()
        if not 2 <= len(columns) <= 3:
            raise Unusable(reasons.UNEQUAL_ARRAYS, f"line {line}: {len(columns)} columns, expected m/z int. rel.int.")
        try:
            peaks.append((number(columns[0]), number(columns[1])))
        except Unusable as error:
            raise Unusable(error.reason, f"line {line}: {error.detail}") from None
    if count != str(len(peaks)):
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"PK$NUM_PEAK is {count or 'missing'}, there are {len(peaks)} peaks")
    array = peak_array(peaks)
    return array[:, 0], array[:, 1]
