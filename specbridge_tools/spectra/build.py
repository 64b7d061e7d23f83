"""Fields and peaks of one record -> `Spectrum`, by one set of rules for every format."""

from __future__ import annotations

import dataclasses
import re
import types

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.assumed import assumed_ion
from specbridge_tools.spectra.derived import derived_precursor
from specbridge_tools.spectra.fields import UNSIGNED, Unusable, is_unknown, parse_charge
from specbridge_tools.spectra.isolation import window_of_fields
from specbridge_tools.spectra.msn import is_deep, take_ms2_precursor
from specbridge_tools.spectra.peaks import checked_peaks
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import DERIVED, REPAIRED, Spectrum
from specbridge_tools.spectra.text import decoded, printable

_ID_FIELDS = ("title", "spectrumid", "spectrum_id", "db", "accession", "identifier", "feature_id", "name")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]*)?")
# What tells features apart that are all called "Unknown": MS-DIAL, MS-FINDER, and any other by its scan.
_ID_FIELDS_OF_UNKNOWNS = ("peakid", "peak_id", "alignmentid", "alignment_id", "scannumber", "scans")
_ISOTOPE = re.compile(r"M\s*\+\s*0*[1-9]\d*")


@dataclasses.dataclass(slots=True)
class Place:
    """The position of a record: the shown name of its source, record number and line, both 1-based."""

    source: str
    record: int = 0
    line: int = 0

    def rejection(self, error: Unusable, fields: dict[str, str]) -> Rejection:
        """The `Rejection` of a record with these fields."""
        name = record_id(fields, self)
        return Rejection(error.reason, name, self.record, self.line, self.source, printable(error.detail), fields)


def stray_text(raw: bytes, line: int, source: str) -> Rejection:
    """The `Rejection` of a run of lines outside of records, which begins with the bytes `raw` at `line`."""
    return Rejection(reasons.TEXT_OUTSIDE_RECORDS, f"line={line}", 0, line, source, printable(decoded(raw[:60])))


def record_id(fields: dict[str, str], place: Place) -> str:
    """The record's name: the first of the fields that name it (`title`, `db`, ..., `name`), else `record=N`.

    "Unknown" names nothing where another field does, its peak or scan number included.
    """
    values = [" ".join(value.split()) for field in _ID_FIELDS if (value := fields.get(field))] if fields else []
    if not values:
        return f"record={place.record}"
    if values[0].lower() != "unknown":
        return values[0]
    values += [value for field in _ID_FIELDS_OF_UNKNOWNS if (value := fields.get(field))]
    return next((value for value in values if value.lower() != "unknown"), values[0])


def build_spectrum(
    fields: dict[str, str],
    mz: NDArray[np.float64],
    intensity: NDArray[np.float64],
    place: Place,
    reading: Reading = DEFAULT_READING,
    *,
    sound: bool = False,
) -> Spectrum:
    """A `Spectrum` from canonical fields and peaks.

    Charge, polarity and adduct must agree where more than one is given, unless `reading` repairs them. A charge without
    a sign takes the sign of the polarity or the adduct; with neither it stays among the metadata.

    Args:
        fields: They are used up.
        mz: (n,).
        intensity: (n,).
        place: The record's position.
        reading: The rules.
        sound: The peaks are known to keep the rules already.

    Raises:
        Unusable: The fields or the peaks break a rule.
    """
    if len(mz) > reading.max_peaks:
        raise Unusable(reasons.TOO_MANY_PEAKS, f"{len(mz):,}, more than {reading.max_peaks:,}")
    if deep := is_deep(fields.get("mslevel")):
        take_ms2_precursor(fields)
    missing, precursor_mz = None, 0.0
    try:
        precursor_mz = _take_precursor(fields)
    except Unusable as error:
        if not reading.derive_precursor:
            raise
        missing = error
    if missing is None and not deep and (window := window_of_fields(fields)):
        allowed = window.allowed(precursor_mz, reading.widest_window)
        if allowed != precursor_mz:
            fields["selected_ion_mz"] = f"{precursor_mz:.10g}"
            precursor_mz = allowed
    if _ISOTOPE.fullmatch(fields.get("isotope", "")):
        raise Unusable(reasons.ISOTOPE_PEAK, f"isotope {fields['isotope']}")
    charge_text, adduct_text = fields.pop("charge", ""), fields.pop("adduct", "")
    has_sign = fields.pop(UNSIGNED, None) is None
    mode_text = fields.get("ionmode", "")
    ion, adducts = assumed_ion(charge_text, adduct_text, mode_text, has_sign=has_sign, reading=reading)
    adduct, charge, polarity, repaired = ion
    notes: tuple[str, ...] = ()
    if repaired:
        notes, fields["repaired"] = (REPAIRED,), repaired
        fields["ionmode"] = "positive" if polarity > 0 else "negative"
    if missing is not None:
        notes, precursor_mz = (*notes, DERIVED), derived_precursor(fields, adduct, missing)
    if charge_text and not charge and not repaired and not is_unknown(charge_text):
        size = abs(parse_charge(charge_text).value)
        fields["charge"] = str(size) if size else charge_text
    if sound:
        mz, small = mz.copy(), intensity.astype(np.float32)
    else:
        mz, small = checked_peaks(mz, intensity)
    name = record_id(fields, place)
    fields.pop("title", None)
    metadata = types.MappingProxyType(fields)
    return Spectrum(
        name, precursor_mz, mz, small, charge, polarity, adduct, place.record, place.line, metadata, notes, adducts
    )  # fmt: skip


def _take_precursor(fields: dict[str, str]) -> float:
    """The precursor m/z: that of PEPMASS, else that of the precursor field, else that of `parent`."""
    plain = _PLAIN_NUMBER.fullmatch(fields.get("pepmass", ""))
    if plain and (value := float(plain[0])) > 0:
        del fields["pepmass"]
        return value
    failure = Unusable(reasons.NO_PRECURSOR, "")
    for key in ("pepmass", "precursor_mz", "parent"):
        text = fields.get(key)
        if text is None or is_unknown(text):
            continue
        try:
            value, rest = _precursor(text)
        except Unusable as error:
            failure = failure if failure.reason != reasons.NO_PRECURSOR else error
            continue
        del fields[key]
        if rest and not is_unknown(rest[0]):
            fields.setdefault("precursor_intensity", rest[0])
        if len(rest) > 1 and not is_unknown(rest[1]):
            _take_charge(fields, rest[1])
        return value
    raise failure


def _take_charge(fields: dict[str, str], text: str) -> None:
    """Let the charge on the precursor's line win over CHARGE, as in Mascot; a sign that it lacks is that of CHARGE."""
    present = fields.setdefault("charge", text)
    try:
        own, other = parse_charge(text), parse_charge(present)
    except Unusable:
        return
    if own.value and own != other:
        fields["charge"] = (
            f"{abs(own.value)}{'-' if other.sign < 0 else '+' if other.sign else ''}" if not own.sign else text
        )


def _precursor(text: str) -> tuple[float, list[str]]:
    """`381.0795`, `381.0795 1000`, `381.0795 1000 2+`, `(381.0795, None)` -> m/z and the rest."""
    first, *rest = re.split(r",\s+|\s+", text.strip("()[] "))
    try:
        value = float(first) if "_" not in first else float("nan")
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise Unusable(reasons.PRECURSOR_NOT_A_NUMBER, text)
    if value <= 0:
        raise Unusable(reasons.PRECURSOR_NOT_POSITIVE, text)
    return value, rest


def spectrum_or_rejection(
    fields: dict[str, str],
    mz: NDArray[np.float64],
    intensity: NDArray[np.float64],
    place: Place,
    reading: Reading = DEFAULT_READING,
    *,
    sound: bool = False,
) -> Spectrum | Rejection:
    """What `build_spectrum` makes of a record, or the `Rejection` that says why it cannot."""
    if not fields and not len(mz):  # by the million in a hostile file
        return place.rejection(Unusable(reasons.NO_PRECURSOR, ""), fields)
    try:
        return build_spectrum(fields, mz, intensity, place, reading, sound=sound)
    except Unusable as error:
        return place.rejection(error, fields)
