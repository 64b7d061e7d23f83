"""mzML, streamed: one spectrum in memory at a time, from a pipe as well as from a file.

Not through pyteomics or pymzml: the mzML reader of pyteomics 5 needs a controlled vocabulary that it fetches from the
network, and looks up shared parameter groups by seeking in the file, which a pipe cannot do; pymzml seeks, too.
"""

from __future__ import annotations

import collections
import contextlib
import re
from collections.abc import Iterator

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable, add_field
from specbridge_tools.spectra.isotopes import with_isotopes
from specbridge_tools.spectra.limits import MAX_GROUPED
from specbridge_tools.spectra.ms_level import skip_reason
from specbridge_tools.spectra.msn import Ancestors
from specbridge_tools.spectra.mzml_arrays import read_arrays
from specbridge_tools.spectra.mzml_params import Parameters
from specbridge_tools.spectra.mzml_precursor import Groups, read_precursor
from specbridge_tools.spectra.mzmlb_arrays import ExternalArrays
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream
from specbridge_tools.spectra.xml_stream import line_of, read_elements

_ROOTS = ("mzML", "indexedmzML")
_TAGS = ("spectrum", "referenceableParamGroup", "chromatogram", "offset")
# Accessions of the PSI-MS controlled vocabulary.
_MS_LEVEL = "MS:1000511"
_MS1_SPECTRUM = "MS:1000579"
_LIGHT_SPECTRA = ("MS:1000804", "MS:1000805", "MS:1000806")
_PROFILE = "MS:1000128"
_POLARITY = {"MS:1000130": "positive", "MS:1000129": "negative"}
_START_TIME = "MS:1000016"
_MINUTE = "UO:0000031"


def read_mzml(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
    *,
    external: ExternalArrays | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each spectrum of MS level 2, in order; by the rule `msn` deeper ones too.

    A selected ion of m/z 0 or outside of the isolation window is replaced by the window's target.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the spectra of other levels and those of light, which are not yielded.
        record_range: Which records are wanted, spectra of every kind counted.
        external: The arrays that stand outside of the XML, in mzMLb.

    Raises:
        DataError: The XML is broken or cut off, or is not mzML.
    """
    record_range = record_range or RecordRange()
    groups: dict[str | None, Parameters] = {}
    ancestors, survey = Ancestors(), SurveyScan(groups, reading, external)
    n_records = n_grouped = 0
    for _, element, tag in read_elements(stream, source, tags=_TAGS, roots=_ROOTS, reading=reading):
        if tag == "referenceableParamGroup":
            groups[element.get("id")] = Parameters(element, {})
            n_grouped += len(groups[element.get("id")])
            if n_grouped > MAX_GROUPED:
                raise DataError(f"holds more than {MAX_GROUPED:,} parameters in groups", where=source)
        elif tag == "spectrum":
            n_records += 1
            survey.pass_by(element)
            if not record_range.take():
                if reading.msn:
                    _pass_over(element, groups, reading, ancestors)
                continue
            place = Place(source, n_records, line_of(element))
            record = _spectrum(element, groups, place, reading, ancestors, skipped, external)
            if record is not None:
                yield with_isotopes(record, survey.peaks)
        if record_range.is_passed:
            return


class SurveyScan:
    """Remembers the peaks (n, 2) of the last MS1 spectrum that was passed, where isotope peaks are wanted."""

    def __init__(self, groups: Groups, reading: Reading, external: ExternalArrays | None) -> None:
        self._groups = groups
        self._reading = reading
        self._external = external
        self.peaks: NDArray[np.float64] | None = None

    def pass_by(self, element: etree._Element) -> None:
        """Take the peaks of a spectrum, if it is one of MS1; in profile, or unreadable, it has none."""
        if not self._reading.isotopes:
            return
        parameters = Parameters(element, self._groups)
        if skip_reason(_level(parameters), self._reading) != reasons.SKIPPED_MS1:
            return
        self.peaks = None
        if _PROFILE not in parameters:
            with contextlib.suppress(Unusable):
                mz, intensity = read_arrays(element, self._groups, self._reading.max_peaks, self._external)
                self.peaks = np.stack([mz, intensity], axis=1) if len(mz) == len(intensity) else None


def _spectrum(
    element: etree._Element,
    groups: Groups,
    place: Place,
    reading: Reading,
    ancestors: Ancestors,
    skipped: collections.Counter[str],
    external: ExternalArrays | None,
) -> Spectrum | Rejection | None:
    parameters = Parameters(element, groups)
    if reason := skip_reason(_level(parameters), reading):
        skipped[reason] += 1
        return None
    if any(accession in parameters for accession in _LIGHT_SPECTRA):
        skipped[reasons.SKIPPED_NO_MASS_SPECTRUM] += 1
        return None
    fields: dict[str, str] = {}
    try:
        _read_fields(fields, element, parameters, groups)
        read_precursor(fields, element, groups, reading, ancestors)
        if _PROFILE in parameters:
            raise Unusable(reasons.PROFILE_SPECTRUM, "pick the peaks first, e.g. msconvert --filter peakPicking")
        mz, intensity = read_arrays(element, groups, reading.max_peaks, external)
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, mz, intensity, place, reading)


def _level(parameters: Parameters) -> str | None:
    level = parameters.value(_MS_LEVEL)
    return "1" if level is None and _MS1_SPECTRUM in parameters else level


def _pass_over(element: etree._Element, groups: Groups, reading: Reading, ancestors: Ancestors) -> None:
    """Remember the precursor of a spectrum that is not wanted itself, for those that are isolated from it."""
    parameters = Parameters(element, groups)
    if skip_reason(_level(parameters), reading):
        return
    fields: dict[str, str] = {}
    with contextlib.suppress(Unusable):
        _read_fields(fields, element, parameters, groups)
        read_precursor(fields, element, groups, reading, ancestors)


def _read_fields(fields: dict[str, str], element: etree._Element, parameters: Parameters, groups: Groups) -> None:
    level = parameters.value(_MS_LEVEL)
    identifier = element.get("id") or ""
    scan = re.search(r"\bscan=(\d+)", identifier)
    values = {
        "title": identifier,
        "scans": scan[1] if scan else None,
        "mslevel": level,
        "ionmode": next((mode for accession, mode in _POLARITY.items() if accession in parameters), None),
        "rtinseconds": _seconds(element, groups),
    }
    for key, value in values.items():
        if value:
            add_field(fields, key, value)


def _seconds(element: etree._Element, groups: Groups) -> str | None:
    scan = Parameters(element.find("{*}scanList/{*}scan"), groups)
    time = scan.value(_START_TIME)
    if time and scan.unit(_START_TIME) == _MINUTE:
        try:
            return f"{float(time) * 60:g}"
        except ValueError:
            return time
    return time
