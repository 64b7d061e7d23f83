"""mzSpecLib in its text form, the format of the HUPO-PSI for libraries of spectra.

https://github.com/HUPO-PSI/mzSpecLib, version 1.0. Not through `mzspeclib`, its reader in Python: it ends at the first
line that it does not understand.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import ONLY_ONCE, Unusable, canonical_key
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

_SECTION = re.compile(r"<\s*([A-Za-z]+)(?:\s+([A-Za-z]+))?\s*(?:=\s*(.*?)|\s+[\d.]+)?\s*>")
_BEGINS = re.compile(rb"\s*<\s*(?:Spectrum|Cluster|AttributeSet|mzSpecLib)\b")
_ATTRIBUTE = re.compile(r"(?:\[(\d+)\])?([A-Za-z]+:\S+?)\|([^=]+?)\s*=\s*(.*)")
_TERM = re.compile(r"[A-Za-z]+:\d+\|(.+)")
_SET_NAME = "MS:1003212"
_COUNT = "MS:1003059"
_ORIGIN = "MS:1003072"
_UNIT = "UO:0000000"
_ENERGY, _TIME = "MS:1000045", "MS:1000894"
_ENERGY_UNITS = {"UO:0000266": "eV"}
_MINUTE = "UO:0000031"
# Accessions of the PSI-MS controlled vocabulary -> fields.
_FIELDS = {
    "MS:1003061": "name",
    "MS:1000511": "mslevel",
    "MS:1000465": "ionmode",
    "MS:1000041": "charge",
    "MS:1000031": "instrument",
    "MS:1000044": "fragmentation_mode",
    "MS:1003057": "scans",
    "MS:1000868": "smiles",
    "MS:1003403": "inchi",
    "MS:1002894": "inchikey",
    "MS:1000866": "formula",
    "MS:1002813": "adduct",
    _ENERGY: "collision_energy",
    _TIME: "rtinseconds",
}
# Of a measured m/z and that of theory the first that is there.
_PRECURSORS = ("MS:1003208", "MS:1000744", "MS:1000827", "MS:1003053")


class _Attribute(NamedTuple):
    group: str
    accession: str
    name: str
    value: str


def read_mzspeclib(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each `<Spectrum=...>`, in order.

    Attribute sets count for the spectra and analytes that name them, or for all. Of a spectrum of several analytes it
    is not known which is the molecule: it has no structure. Decoys are rejected.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the records of MS level 1, 3 and deeper, which are not yielded.
        record_range: Which records are wanted, those of every level counted.
    """
    sets: dict[tuple[str, str], list[_Attribute]] = {}

    def build(record: TextRecord, place: Place) -> Spectrum | Rejection | None:
        return _spectrum(record, sets, place, reading, skipped)

    return spectra_of(_records(stream, source, reading, sets), source, lambda record: record.line, build, record_range)


def _records(
    stream: ByteStream, source: str, reading: Reading, sets: dict[tuple[str, str], list[_Attribute]]
) -> Iterator[TextRecord]:
    """Yield the sections of spectra; those of attribute sets are kept in `sets`, any others left out."""
    record: TextRecord | None = None
    for line, raw in numbered_lines(stream, source):
        if raw.lstrip()[:1] == b"<" and _BEGINS.match(raw):
            if record is not None:
                yield from _ended(record, sets)
            record = TextRecord(line, reading)
        elif record is None and raw.strip():
            record = TextRecord(line, reading)
            record.note(reasons.TEXT_OUTSIDE_RECORDS, f"{decoded(raw[:40])!r} before <mzSpecLib>")
        if record is not None:
            record.add(raw)
    if record is not None:
        yield from _ended(record, sets)


def _ended(record: TextRecord, sets: dict[tuple[str, str], list[_Attribute]]) -> Iterator[TextRecord]:
    section = _SECTION.match(decoded(record.lines[0]).strip()) if record.lines else None
    kind = section[1].lower() if section else ""
    if section and kind == "attributeset" and section[2] and not record.problem:
        key = (section[2].lower(), section[3] or "")
        sets[key] = [attribute for line in record.lines[1:] if (attribute := _attribute(decoded(line).strip()))]
    elif kind not in ("mzspeclib", "cluster", "attributeset"):
        yield record


def _attribute(text: str) -> _Attribute | None:
    match = _ATTRIBUTE.fullmatch(text)
    return None if match is None else _Attribute(match[1] or "", match[2], match[3], match[4])


def _spectrum(
    record: TextRecord,
    sets: Mapping[tuple[str, str], list[_Attribute]],
    place: Place,
    reading: Reading,
    skipped: collections.Counter[str],
) -> Spectrum | Rejection | None:
    fields: dict[str, str] = {}
    try:
        if record.problem:
            raise record.problem
        parts = _Parts(record)
        of_spectrum = _with_sets(parts.of_spectrum, "spectrum", sets)
        analytes = [_with_sets(attributes, "analyte", sets) for attributes in parts.of_analytes]
        _read_fields(RecordFields(fields, reading), parts.key, of_spectrum, analytes)
        if reason := skip_reason(fields.get("mslevel"), reading):
            skipped[reason] += 1
            return None
        for attribute in of_spectrum:
            if attribute.accession == _ORIGIN and "decoy" in attribute.value:
                raise Unusable(reasons.DECOY_SPECTRUM, attribute.value)
        check_number_of_peaks(len(parts.peaks), reading)
        peaks = _read_peaks(parts.peaks, next((a.value for a in of_spectrum if a.accession == _COUNT), ""))
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, peaks[:, 0], peaks[:, 1], place, reading)


class _Parts:
    """The lines of a record by the sections within it."""

    def __init__(self, record: TextRecord) -> None:
        self.key = ""
        self.of_spectrum: list[_Attribute] = []
        self.of_analytes: list[list[_Attribute]] = []
        self.peaks: list[tuple[int, str]] = []
        section = ""
        for line, raw in record.numbered():
            text = decoded(raw).strip()
            if "\0" in text:
                raise Unusable(reasons.NUL_BYTES, f"line {line}")
            match = _SECTION.fullmatch(text)
            if match:
                section = match[1].lower()
                if section == "spectrum":
                    self.key = match[3] or ""
                elif section == "analyte":
                    self.of_analytes.append([])
            elif section == "peaks":
                self.peaks.append((line, text))
            elif (attribute := _attribute(text)) is None:
                if section in ("spectrum", "analyte"):
                    raise Unusable(reasons.TEXT_OUTSIDE_RECORDS, f"line {line}: {text[:40]!r} is no attribute")
            elif section == "spectrum":
                self.of_spectrum.append(attribute)
            elif section == "analyte":
                self.of_analytes[-1].append(attribute)


def _with_sets(
    attributes: list[_Attribute], kind: str, sets: Mapping[tuple[str, str], list[_Attribute]]
) -> list[_Attribute]:
    """The attributes, and behind them those of sets whose terms they have not."""
    names = [attribute.value for attribute in attributes if attribute.accession == _SET_NAME]
    result = list(attributes)
    for name in (*names, "all"):
        present = {attribute.accession for attribute in result} - {_UNIT}
        # groups are numbered anew in each section
        added = [each._replace(group=f"{name} {each.group}") for each in sets.get((kind, name), ())]
        result += [each for each in added if each.accession not in present]
    return result


def _read_fields(
    adding: RecordFields, key: str, of_spectrum: list[_Attribute], analytes: list[list[_Attribute]]
) -> None:
    analyte = analytes[0] if len(analytes) == 1 else []
    if len(analytes) > 1:
        adding.fields["n_analytes"] = str(len(analytes))
    units = {each.group: each.value.partition("|")[0] for each in reversed(of_spectrum) if each.accession == _UNIT}
    for attribute in (*of_spectrum, *analyte):
        name = _FIELDS.get(attribute.accession)
        plain = canonical_key(attribute.name)
        if name is None and (attribute.accession in (_SET_NAME, _COUNT, *_PRECURSORS, _UNIT) or plain in ONLY_ONCE):
            continue
        adding.add(name or plain, _value(attribute, units))
    by_accession = {each.accession: each.value for each in reversed((*of_spectrum, *analyte))}
    precursor_mz = next((by_accession[each] for each in _PRECURSORS if each in by_accession), "")
    if precursor_mz:
        adding.add("precursor_mz", precursor_mz)
    if key:
        adding.add("spectrum_key" if "name" in adding.fields else "title", key)
    adding.finish()


def _value(attribute: _Attribute, units: Mapping[str, str]) -> str:
    """The value, of terms the name, of energies and times with their unit."""
    match = _TERM.fullmatch(attribute.value)
    value = match[1] if match else attribute.value
    if attribute.accession not in (_ENERGY, _TIME) or not attribute.group:
        return value
    unit = units.get(attribute.group, "")
    if attribute.accession == _ENERGY:
        return f"{value} {_ENERGY_UNITS.get(unit, '')}".strip()
    try:
        return f"{float(value) * 60:g}" if unit == _MINUTE else value
    except ValueError:
        return value


def _read_peaks(lines: list[tuple[int, str]], count: str) -> NDArray[np.float64]:
    """Lines of m/z, intensity and what is not used -> (n, 2)."""
    peaks = []
    for line, text in lines:
        columns = text.split("\t") if "\t" in text else text.split()
        try:
            if len(columns) < 2:
                raise Unusable(reasons.UNEQUAL_ARRAYS, f"{text[:40]!r}")
            peaks.append((number(columns[0]), number(columns[1])))
        except Unusable as error:
            raise Unusable(error.reason, f"line {line}: {error.detail}") from None
    if count and count != str(len(peaks)):
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"number of peaks is {count}, there are {len(peaks)}")
    return peak_array(peaks)
