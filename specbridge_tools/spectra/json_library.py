"""Libraries of spectra in JSON: the exports of MoNA, and of GNPS.

MoNA: https://mona.fiehnlab.ucdavis.edu/downloads; GNPS: https://external.gnps2.org/gnpslibrary, whose layout
matchms writes, too. Not through matchms, which reads a whole file into memory and leaves out what it cannot use.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.build import Place, spectrum_or_rejection
from specbridge_tools.spectra.fields import Unusable, is_unknown, plain_key
from specbridge_tools.spectra.json_records import Json, read_json_values
from specbridge_tools.spectra.ms_level import skip_reason
from specbridge_tools.spectra.msn import PRECURSORS
from specbridge_tools.spectra.peaks import number, peak_array, plain_peaks
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream
from specbridge_tools.spectra.text_records import RecordFields, check_number_of_peaks, spectra_of

_PAIR = r"\[\s*([^\[\],\s]+)\s*,\s*([^\[\],\s]+)\s*\]"
_ANY_PAIR = _PAIR.replace("(", "(?:")
_PAIRS = re.compile(rf"\s*\[\s*(?:{_ANY_PAIR}(?:\s*,\s*{_ANY_PAIR})*)?\s*\]\s*")
# of the size that a record of text may have: an object of JSON takes many times as much in memory
_JSON_SHARE = 8
_GNPS_KEYS = frozenset(("peaks_json", "precursor_mz"))
# Beside the fields of the same meaning, where these are missing.
_COMPUTED = {"inchikey": ("inchikey_smiles", "inchikey_inchi"), "formula": ("formula_smiles", "formula_inchi")}
_OF_COMPOUND = {"smiles": "smiles", "inchi": "inchi", "inchikey": "inchikey", "molecular_formula": "formula"}


def read_json_library(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield a `Spectrum` or a `Rejection` for each value of the array, or of the lines, in order.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        reading: The rules.
        skipped: Counts the records of MS level 1, 3 and deeper, which are not yielded.
        record_range: Which records are wanted, those of every level counted.

    Raises:
        FormatError: It is not JSON, or not to its end.
    """

    def build(value: Json | Unusable, place: Place) -> Spectrum | Rejection | None:
        return _spectrum(value, place, reading, skipped)

    return spectra_of(
        read_json_values(stream, source, most_bytes=reading.max_record_size // _JSON_SHARE),
        source,
        lambda _: 0,
        build,
        record_range,
    )


def _spectrum(
    value: Json | Unusable, place: Place, reading: Reading, skipped: collections.Counter[str]
) -> Spectrum | Rejection | None:
    fields: dict[str, str] = {}
    adding = RecordFields(fields, reading)
    try:
        if isinstance(value, Unusable):
            raise value
        if not isinstance(value, dict):
            raise Unusable(reasons.NOT_A_RECORD, f"{type(value).__name__}, expected an object")
        if "metaData" in value or "compound" in value:
            _mona_fields(adding, value)
            peaks_of = _mona_peaks
        elif _GNPS_KEYS & {plain_key(key) for key in value}:
            _gnps_fields(adding, value)
            peaks_of = _gnps_peaks
        else:
            raise Unusable(reasons.NOT_A_RECORD, "neither of MoNA nor of GNPS: " + ", ".join(list(value)[:5])[:80])
        adding.finish()
        if reason := skip_reason(fields.get("mslevel"), reading):
            skipped[reason] += 1
            return None
        peaks = peaks_of(value)
        check_number_of_peaks(len(peaks), reading)
    except Unusable as error:
        return place.rejection(error, fields)
    return spectrum_or_rejection(fields, peaks[:, 0], peaks[:, 1], place, reading)


def _text(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list, none where it is no list."""
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            yield item


def _gnps_fields(adding: RecordFields, record: Mapping[str, Any]) -> None:
    for key, value in record.items():
        name = plain_key(key)
        if name == "inchi":
            value = _text(value).strip(' "')
        if (name == "spectrumid" and value == record.get("spectrum_id")) or name == "peaks_json":
            continue
        if name == PRECURSORS and isinstance(value, list):
            value = f"[{','.join(map(_text, value))}]"
        adding.add(key, _text(value))
    for key, names in _COMPUTED.items():
        for name in names:
            adding.add_missing(key, adding.fields.get(name, ""))


def _gnps_peaks(record: Mapping[str, Any]) -> NDArray[np.float64]:
    """`[[m/z, intensity], ...]`, as text or as a list -> (n, 2)."""
    value = next((value for key, value in record.items() if plain_key(key) == "peaks_json"), None)
    if isinstance(value, list):
        pairs = [pair if isinstance(pair, list) else [] for pair in value]
        if not all(len(pair) == 2 for pair in pairs):
            raise Unusable(reasons.UNEQUAL_ARRAYS, "peaks_json holds what is no pair")
        return peak_array([(number(_text(mz)), number(_text(intensity))) for mz, intensity in pairs])
    text = _text(value)
    if is_unknown(text):
        raise Unusable(reasons.NO_PEAKS, "no peaks_json")
    plain = plain_peaks(_between_brackets(text).encode()) if text.isascii() else None
    if plain is not None:
        return plain
    if not _PAIRS.fullmatch(text):
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"peaks_json {text[:40]!r} is no list of pairs")
    return peak_array([(number(mz), number(intensity)) for mz, intensity in re.findall(_PAIR, text)])


def _between_brackets(text: str) -> str:
    """`[[1,2],[3,4]]` -> lines of two words; anything else gives no such lines."""
    text = text.strip()
    if not (text.startswith("[[") and text.endswith("]]")):
        return "-"
    return text[2:-2].replace("], [", "],[").replace("],[", "\n").replace(", ", ",").replace(",", " ") + "\n"


def _mona_fields(adding: RecordFields, record: Mapping[str, Any]) -> None:
    adding.add("spectrumid", _text(record.get("id")))
    for item in _objects(record.get("metaData")):
        if item.get("computed") is True or item.get("deleted") is True:
            continue
        name, value, unit = (_text(item.get(key)) for key in ("name", "value", "unit"))
        adding.add(name or "no name", f"{value} {unit}" if value and unit else value)
    compounds = list(_objects(record.get("compound")))
    compounds.sort(key=lambda compound: compound.get("kind") != "biological")
    for compound in compounds[:1]:
        _compound_fields(adding, compound)


def _compound_fields(adding: RecordFields, compound: Mapping[str, Any]) -> None:
    """The structure of a compound: its own keys, then what the contributor wrote, then what MoNA computed."""
    for item in _objects(compound.get("names")):
        adding.add_missing("name", _text(item.get("name")))
    for key, value in compound.items():
        if name := _OF_COMPOUND.get(plain_key(key)):
            adding.add_missing(name, _text(value))
    for is_computed in (False, True):
        for item in _objects(compound.get("metaData")):
            name = _OF_COMPOUND.get(plain_key(_text(item.get("name"))))
            if name and (item.get("computed") is True) == is_computed:
                adding.add_missing(name, _text(item.get("value")))


def _mona_peaks(record: Mapping[str, Any]) -> NDArray[np.float64]:
    """`m/z:intensity m/z:intensity` -> (n, 2)."""
    text = _text(record.get("spectrum"))
    if is_unknown(text):
        raise Unusable(reasons.NO_PEAKS, "no spectrum")
    words = text.split()
    if text.isascii():
        plain = plain_peaks(("\n".join(words).replace(":", " ") + "\n").encode())
        if plain is not None:
            return plain
    pairs = [word.split(":") for word in words]
    if not all(len(pair) == 2 for pair in pairs):
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"{next(word for word in words if word.count(':') != 1)[:40]!r}")
    return peak_array([(number(mz), number(intensity)) for mz, intensity in pairs])
