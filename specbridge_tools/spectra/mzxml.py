"""mzXML, streamed: one spectrum in memory at a time, from a pipe as well as from a file.

Not through pyteomics, with which the tests compare: its reader seeks in the file, which a pipe cannot do, holds every
MS2 scan in memory until the next MS1 scan, and its parser resolves entities.
"""

from __future__ import annotations

import collections
import contextlib
import re
from collections.abc import Iterator, Mapping

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable, add_field
from specbridge_tools.spectra.ion_mode import polarity_of
from specbridge_tools.spectra.isolation import take_window, window_of_width
from specbridge_tools.spectra.isotopes import with_isotopes
from specbridge_tools.spectra.ms_level import skip_reason
from specbridge_tools.spectra.msn import PRECURSORS, Ancestors, is_deep
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream
from specbridge_tools.spectra.xml_stream import array_length, line_of, read_elements, unpacked

_TAGS = ("scan", "msInstrument", "offset")
_TYPES = {"32": ">f4", "64": ">f8"}
_COMPRESSED = {"none": False, "zlib": True}
_POLARITY = {1: "positive", -1: "negative", 0: ""}
_DURATION = re.compile(r"P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?")


def read_mzxml(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each scan of MS level 2, in the order in which they begin.

    Scans may hold the scans of the next level.
    Only a scan that says so itself (`centroided="0"`) counts as a profile: in `dataProcessing` the same words mean that
    the converter has picked no peaks, which the instrument may have done.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the scans of other levels, which are not yielded.
        record_range: Which records are wanted, scans of every level counted.

    Raises:
        DataError: The XML is broken or cut off, or is not mzXML.
    """
    record_range = record_range or RecordRange()
    instruments: dict[str, str] = {}
    ancestors = Ancestors()
    survey: NDArray[np.float64] | None = None
    n_records = 0
    events = ("start", "end")
    elements = read_elements(stream, source, tags=_TAGS, roots=("mzXML",), reading=reading, events=events)
    for element, tag in _whole(elements):
        if tag == "msInstrument":
            model = element.find("{*}msModel")
            name = "" if model is None else model.get("value", "")
            if len(instruments) < reading.max_fields:
                instruments.setdefault(element.get("msInstrumentID") or element.get("id") or "", name)
        elif tag == "scan":
            n_records += 1
            if reading.isotopes and skip_reason(element.get("msLevel"), reading) == reasons.SKIPPED_MS1:
                survey = _survey_peaks(element, reading.max_peaks)
            if not record_range.take():
                if reading.msn and not skip_reason(element.get("msLevel"), reading):
                    with contextlib.suppress(Unusable):
                        _read_fields({}, element, instruments, reading, ancestors)
                continue
            place = Place(source, n_records, line_of(element))
            record = _spectrum(element, instruments, place, reading, ancestors, skipped)
            if record is not None:
                yield with_isotopes(record, survey)
        if record_range.is_passed:
            return


def _whole(elements: Iterator[tuple[str, etree._Element, str]]) -> Iterator[tuple[etree._Element, str]]:
    """Yield (element, tag) once it is complete but for the scans within: when the first begins, or at its end."""
    pending: etree._Element | None = None
    for event, element, tag in elements:
        if tag != "scan":
            if event == "end":
                yield element, tag
            continue
        if pending is not None:
            yield pending, tag
        pending = element if event == "start" else None


def _spectrum(
    scan: etree._Element,
    instruments: Mapping[str, str],
    place: Place,
    reading: Reading,
    ancestors: Ancestors,
    skipped: collections.Counter[str],
) -> Spectrum | Rejection | None:
    if reason := skip_reason(scan.get("msLevel"), reading):
        skipped[reason] += 1
        return None
    fields: dict[str, str] = {}
    try:
        _read_fields(fields, scan, instruments, reading, ancestors)
        if scan.get("centroided") in ("0", "false"):
            raise Unusable(reasons.PROFILE_SPECTRUM, "pick the peaks first, e.g. msconvert --filter peakPicking")
        peaks = _peaks(scan, reading.max_peaks)
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, peaks[:, 0], peaks[:, 1], place, reading)


def _read_fields(
    fields: dict[str, str],
    scan: etree._Element,
    instruments: Mapping[str, str],
    reading: Reading,
    ancestors: Ancestors,
) -> None:
    mode = scan.get("polarity") or ""
    polarity = polarity_of(mode)
    values = {
        "title": scan.get("num"),
        "scans": scan.get("num"),
        "mslevel": scan.get("msLevel"),
        "ionmode": mode if polarity is None else _POLARITY[polarity],
        "rtinseconds": _seconds(scan.get("retentionTime") or ""),
        "collision_energy": scan.get("collisionEnergy"),
        "instrument": instruments.get(scan.get("msInstrumentID") or "", next(iter(instruments.values()), "")),
    }
    precursors = scan.findall("{*}precursorMz")
    is_chain = bool(precursors) and is_deep(scan.get("msLevel"))
    if precursors and not is_chain:
        values["precursor_mz"] = precursors[0].text
        values["charge"] = precursors[0].get("precursorCharge")
        values["precursor_intensity"] = precursors[0].get("precursorIntensity")
    for key, value in values.items():
        if value:
            add_field(fields, key, value)
    if is_chain:
        parent = scan.getparent()
        outer = parent.get("num") if parent is not None and parent.tag == scan.tag else None
        names = [*(precursor.get("precursorScanNum") for precursor in precursors), outer]
        ancestors.take(fields, names, (precursors[0].text or "").strip())
    elif len(precursors) > 1:
        raise Unusable(reasons.SEVERAL_PRECURSORS, f"{len(precursors)}")
    elif precursors:
        selected = (precursors[0].text or "").strip()
        window = window_of_width(selected, precursors[0].get("windowWideness"))
        take_window(fields, selected, window, reading.widest_window)
    if chain := fields.get(PRECURSORS, fields.get("precursor_mz")):
        ancestors.remember(scan.get("num") or "", chain.strip("[]").split(",")[0], fields.get("charge", ""))


def _seconds(duration: str) -> str:
    """`PT12.5S`, `PT1M5S` -> seconds; any other text as it is."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        return duration
    hours, minutes, seconds = match.groups()
    if not hours and not minutes:
        return seconds or ""
    return f"{int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0):.10g}"


def _survey_peaks(scan: etree._Element, max_peaks: int) -> NDArray[np.float64] | None:
    """(n, 2) of a scan of MS1 that says that it is centroided; None for others, and where they cannot be read."""
    if scan.get("centroided") in ("1", "true"):
        with contextlib.suppress(Unusable):
            return _peaks(scan, max_peaks)
    return None


def _peaks(scan: etree._Element, max_peaks: int) -> NDArray[np.float64]:
    """(n, 2) m/z and intensity."""
    elements = scan.findall("{*}peaks")
    length = array_length(scan.get("peaksCount"), max_peaks)
    if length == 0 or not elements:
        # some writers put one peak of zeros where there is none
        raise Unusable(reasons.NO_PEAKS, "" if elements else "no arrays")
    if len(elements) > 1:
        raise Unusable(reasons.UNEQUAL_ARRAYS, "more than one array")
    peaks = elements[0]
    content = peaks.get("contentType") or peaks.get("pairOrder") or "m/z-int"
    dtype = _TYPES.get(peaks.get("precision") or "32")
    compressed = _COMPRESSED.get(peaks.get("compressionType") or "none")
    order = peaks.get("byteOrder") or "network"
    if content != "m/z-int" or dtype is None or compressed is None or order != "network":
        attributes = ", ".join(f"{name}={value}" for name, value in peaks.attrib.items())
        raise Unusable(reasons.ARRAY_NOT_DECODED, f"{attributes}; convert it with zlib or no compression")
    data = unpacked(peaks.text or "", compressed=compressed, size=2 * length * np.dtype(dtype).itemsize)
    return np.frombuffer(data, dtype=dtype).astype(np.float64).reshape(-1, 2)
