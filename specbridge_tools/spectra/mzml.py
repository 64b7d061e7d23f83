"""mzML, streamed: one spectrum in memory at a time, from a pipe as well as from a file.

Not through pyteomics: from version 5 its mzML reader needs a controlled vocabulary that it fetches from the network,
and it looks up shared parameter groups by seeking in the file, which a pipe cannot do.
"""

import re

from lxml import etree

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable, add_field
from specbridge_tools.spectra.mzml_arrays import read_arrays
from specbridge_tools.spectra.mzml_params import Parameters

BLOCK = 1 << 18
_TAGS = ("spectrum", "referenceableParamGroup", "chromatogram", "offset")
# Accessions of the PSI-MS controlled vocabulary.
_MS_LEVEL = "MS:1000511"
_MS1_SPECTRUM = "MS:1000579"
_LIGHT_SPECTRA = ("MS:1000804", "MS:1000805", "MS:1000806")
_PROFILE = "MS:1000128"
_POLARITY = {"MS:1000130": "positive", "MS:1000129": "negative"}
_SELECTED_MZ = ("MS:1000744", "MS:1000040")
_WINDOW_TARGET = "MS:1000827"
_CHARGE_STATE = "MS:1000041"
_PEAK_INTENSITY = "MS:1000042"
_ENERGY = "MS:1000045"
_NORMALISED_ENERGY = "MS:1000138"
_RAMP = ("MS:1002013", "MS:1002014")
_START_TIME = "MS:1000016"
_MINUTE = "UO:0000031"
_ELECTRONVOLT = "UO:0000266"


def read_mzml(stream, source, skipped, record_range=None):
    """Yield a `Spectrum` or a `Rejection` for each spectrum of MS level 2 and above of a binary stream, in order.

    MS1 spectra and spectra of light are counted in `skipped`. Where an MS3 or deeper scan tells several precursors the
    first counts, which is the last that was isolated. Raises `DataError` where the XML is broken or cut off. `record_range`
    (`RecordRange`) says which are wanted, spectra of every kind counted.
    """
    record_range = record_range or RecordRange()
    groups = {}
    n_records = 0
    for element, tag in _elements(stream, source):
        if tag == "referenceableParamGroup":
            groups[element.get("id")] = Parameters(element, {})
        elif tag == "spectrum":
            n_records += 1
            if not record_range.take():
                continue
            record = _spectrum(element, groups, Place(source, n_records, _line(element)), skipped)
            if record is not None:
                yield record
        if record_range.is_passed:
            return


def _line(element):
    # libxml2 counts lines in 16 bits
    return element.sourceline if element.sourceline and element.sourceline < 65535 else 0


def _elements(stream, source):
    """Yield (element, local tag) as they end, and empty them afterwards."""
    tags = [f"{{*}}{tag}" for tag in _TAGS]
    parser = etree.XMLPullParser(
        events=("end",), tag=tags, huge_tree=True, resolve_entities=False, no_network=True, collect_ids=False
    )
    broken = None
    try:
        first = True
        while block := stream.read(BLOCK):
            if first and b"<!DOCTYPE" in block:
                raise FormatError("is XML with a document type, which mzML has not", where=source)
            first = False
            parser.feed(block)
            yield from _ended(parser)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        broken = error
    yield from _ended(parser)
    if broken is not None:
        line = broken.lineno if broken.lineno and broken.lineno > 0 else None
        raise DataError(
            f"broken or cut off XML ({broken.msg})", where=source, line=line, advice="copy or convert it again"
        ) from broken
    if etree.QName(root).localname not in ("mzML", "indexedmzML"):
        raise FormatError(f"is XML, but not mzML (<{etree.QName(root).localname}>)", where=source)


def _ended(parser):
    for _, element in parser.read_events():
        yield element, etree.QName(element).localname
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _spectrum(element, groups, place, skipped):
    parameters = Parameters(element, groups)
    level = parameters.value(_MS_LEVEL)
    if level == "1" or (level is None and _MS1_SPECTRUM in parameters):
        skipped[reasons.SKIPPED_MS1] += 1
        return None
    if any(accession in parameters for accession in _LIGHT_SPECTRA):
        skipped[reasons.SKIPPED_NO_MASS_SPECTRUM] += 1
        return None
    fields = {}
    try:
        _read_fields(fields, element, parameters, groups)
        if _PROFILE in parameters:
            raise Unusable(reasons.PROFILE_SPECTRUM, "pick the peaks first, e.g. msconvert --filter peakPicking")
        mz, intensity = read_arrays(element, groups)
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, mz, intensity, place)


def _read_fields(fields, element, parameters, groups):
    level = parameters.value(_MS_LEVEL)
    identifier = element.get("id") or ""
    scan = re.search(r"\bscan=(\d+)", identifier)
    told = {
        "title": identifier,
        "scans": scan and scan[1],
        "mslevel": level,
        "ionmode": next((mode for accession, mode in _POLARITY.items() if accession in parameters), None),
        "rtinseconds": _seconds(element, groups),
    }
    precursors = element.findall("{*}precursorList/{*}precursor")
    ions = precursors[0].findall("{*}selectedIonList/{*}selectedIon") if precursors else []
    if precursors:
        ion = Parameters(ions[0], groups) if ions else Parameters()
        isolation = Parameters(precursors[0].find("{*}isolationWindow"), groups)
        told["precursor_mz"] = ion.first(_SELECTED_MZ) or isolation.value(_WINDOW_TARGET)
        told["charge"] = ion.value(_CHARGE_STATE)
        told["precursor_intensity"] = ion.value(_PEAK_INTENSITY)
        told["collision_energy"] = _energy(Parameters(precursors[0].find("{*}activation"), groups))
    for key, value in told.items():
        if value:
            add_field(fields, key, value)
    if len(ions) > 1 or (len(precursors) > 1 and level in ("2", None)):
        raise Unusable(reasons.SEVERAL_PRECURSORS, f"{max(len(ions), len(precursors))}")


def _energy(activation):
    low, high = map(activation.value, _RAMP)
    if low and high:
        return f"Ramp {low}-{high} eV"
    if energy := activation.value(_ENERGY):
        return f"{energy} eV" if activation.unit(_ENERGY) == _ELECTRONVOLT else energy
    energy = activation.value(_NORMALISED_ENERGY)
    return f"{energy} NCE" if energy else None


def _seconds(element, groups):
    scan = Parameters(element.find("{*}scanList/{*}scan"), groups)
    time = scan.value(_START_TIME)
    if time and scan.unit(_START_TIME) == _MINUTE:
        try:
            return f"{float(time) * 60:g}"
        except ValueError:
            return time
    return time
