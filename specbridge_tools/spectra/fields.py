"""The named fields of a record: one set of names for every format and dialect, and what their values mean."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adducts import Adduct, parse_adduct
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.ion_mode import KEYS_OF_TWO_USES, meaning_of_code, polarity_of
from specbridge_tools.spectra.limits import MAX_JOINED
from specbridge_tools.spectra.ms_level import ms_level
from specbridge_tools.spectra.text import CONTROL

ADDUCT_FIELDS = {
    "precursor_type": "exports of NIST, MassBank and MoNA",
    "precursortype": "MS-DIAL, MS-FINDER",
    "adductionname": "older exports of peaks of MS-DIAL, convert2MSP of MetCirc; MetFamily reads it",
    "ion": "MZmine, export for SIRIUS",
    "ion_type": "spelling of ion",
    "iontype": "spelling of ion",
}
"""Adduct fields beside `adduct`, and who writes them."""
_ALIASES = {
    "precursor_mz": ("precursormz", "precursor_m_z", "selected_ion_m_z"),
    "charge": ("precursor_charge", "precursorcharge"),
    "adduct": tuple(ADDUCT_FIELDS),
    "ionmode": (
        *("ion_mode", "ionization_mode", "ionisation_mode", "ionizationmode", "ionisationmode", "polarity"),
        *("ion_polarity", "ionpolarity", "ionpol", "scan_polarity", "scanpolarity"),
    ),
    "mslevel": ("ms_level", "spectrum_type", "spectrumtype", "ms_type", "mstype"),
    "collision_energy": ("collisionenergy",),
    "instrument_type": ("instrumenttype",),
    "name": ("compound_name", "compoundname"),
    "inchi": ("inchicode", "inchi_code"),
    "inchikey": ("inchi_key",),
    "formula": ("molecular_formula", "mol_formula"),
    "license": ("licence",),
    "scans": ("scan", "scan_number"),
}
_CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
ONLY_ONCE = frozenset(("pepmass", "precursor_mz", "charge", "adduct", "ionmode", "mslevel"))
UNSIGNED = "charge without sign"
"""A mark, no name of a field: the record is from R, where CHARGE is written with a + in either polarity."""
_UNKNOWN = frozenset(("", "?", "-", "n/a", "na", "nan", "none", "null", "unknown", "undefined"))
VALUE_DECIDES = KEYS_OF_TWO_USES | {"polarity"} | set(_ALIASES["mslevel"])
"""Plain keys of several uses, of which the value tells which."""
_SEPARATOR = "; "
_CHARGE = re.compile(r"([+-]?)(\d{1,2})(?:\.0*)?([+-]?)|(\++|-+)")
_CHARGE_SEPARATOR = re.compile(r"\s*(?:,|;|/|\bor\b|\band\b)\s*|\s+")
_UNNAMED_ION = re.compile(r"\[?M(?:\+?\?)?\]?[.*•]?((?:\d?[+-])?)")


class Unusable(Exception):
    """A record cannot be used.

    Attributes:
        reason: One of `spectra.reasons`.
        detail: What was found, may be empty.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Charge(NamedTuple):
    """`value` is signed, 0 when not known; `sign` is 0 when the text has none."""

    value: int
    sign: int


@functools.lru_cache(maxsize=4096)
def plain_key(text: str) -> str:
    """A key in lower case, letters and digits only, `_` for the rest: `Precursor m/z` -> `precursor_m_z`."""
    return re.sub(r"[\W_]+", "_", text.lower()).strip("_") or "field"


@functools.lru_cache(maxsize=4096)
def canonical_key(text: str) -> str:
    """The one name of a field that the dialects spell in many ways."""
    key = plain_key(text)
    return _CANONICAL.get(key, key)


class Several:
    """Fields that came more than once: their values, to be joined when the record ends.

    Joined one by one, a field that comes a hundred thousand times would be copied as often.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def add(self, fields: dict[str, str], name: str, value: str) -> None:
        """Add a value behind those of a field that is there, unless it is all that the field holds."""
        values = self._values.setdefault(name, [fields[name]])
        size = self._sizes.setdefault(name, len(fields[name]))
        if size != len(value) or _SEPARATOR.join(values) != value:
            values.append(value)
            self._sizes[name] = size + len(_SEPARATOR) + len(value)

    def join(self, fields: dict[str, str]) -> None:
        """Put the joined values into the fields."""
        if self._values:
            fields.update((name, _SEPARATOR.join(values)) for name, values in self._values.items())
            self._values, self._sizes = {}, {}


def add_field(fields: dict[str, str], key: str, value: str, several: Several | None = None) -> None:
    """Put a value under its canonical key; keep what is already there.

    A second, different value goes under the spelling of the file, or after the first, separated by `; `. Empty values
    are left out.

    Args:
        fields: Of the record.
        key: As in the file.
        value: As in the file.
        several: Takes further values of a field, whose `join` the caller then calls when the record ends.

    Raises:
        Unusable: Fields of `ONLY_ONCE` differ in what they mean.
    """
    value = CONTROL.sub(" ", value).strip()
    if not value:
        return
    plain, name = plain_key(key), canonical_key(key)
    if plain in VALUE_DECIDES:
        name, value = _by_value(fields, plain, name, value)
    present = fields.setdefault(name, value)
    if present == value and (several is None or name not in several):
        return
    if _says_nothing(name, present):
        fields[name] = value
        return
    if name in ONLY_ONCE and not _says_nothing(name, value) and not _agree(name, present, value):
        raise Unusable(reasons.CONTRADICTORY_FIELDS, f"{name} is {present!r}, {key} is {value!r}")
    if plain != name:
        name = plain
        present = fields.setdefault(name, value)
    if name in ONLY_ONCE:
        return
    if several is not None:
        several.add(fields, name, value)
    elif present != value:
        if len(present) > MAX_JOINED:
            raise Unusable(reasons.TOO_MANY_FIELDS, f"{name} again and again")
        fields[name] = f"{present}{_SEPARATOR}{value}"


def _by_value(fields: dict[str, str], plain: str, name: str, value: str) -> tuple[str, str]:
    """(name, value) of a field whose key has several uses: the value tells which."""
    if name == "mslevel":
        return (name if ms_level(value) is not None else plain), value
    if plain in KEYS_OF_TWO_USES:
        return ("ionmode" if polarity_of(value) else name), value
    if meaning := meaning_of_code(value):
        fields[UNSIGNED] = ""
        return name, meaning
    return name, value


def _says_nothing(name: str, text: str) -> bool:
    """Whether an adduct or an ion mode is one of the words for a missing value, which contradicts none."""
    return polarity_of(text) == 0 if name == "ionmode" else name == "adduct" and is_unknown(text)


def _agree(name: str, text: str, other: str) -> bool:
    """Whether two texts of a field mean the same."""
    try:
        if name == "charge":
            return parse_charge(text) == parse_charge(other)
        if name == "adduct":
            return parse_ion(text, 0) == parse_ion(other, 0)
        if name == "ionmode":
            return parse_polarity(text) == parse_polarity(other)
        if name == "mslevel":
            return ms_level(text) is not None and ms_level(text) == ms_level(other)
        return float(text.split()[0]) == float(other.split()[0])
    except (Unusable, ValueError):
        return False


def is_unknown(text: str) -> bool:
    """Whether a text is one of the words that mean a missing value."""
    return text.strip().lower() in _UNKNOWN


@functools.lru_cache(maxsize=4096)
def parse_charge(text: str) -> Charge:
    """`2+`, `+2`, `2`, `++`, `1-`, `-1-` -> `Charge`; several (`1+ and 2+`) or 0 -> value 0, with the sign they share.

    Raises:
        Unusable: It is no charge.
    """
    if is_unknown(text):
        return Charge(0, 0)
    parts = _CHARGE_SEPARATOR.split(text.strip().strip("()[]"))
    matches = [match for part in parts if (match := _CHARGE.fullmatch(part))]
    if len(matches) < len(parts) or any(match[1] and match[3] and match[1] != match[3] for match in matches):
        raise Unusable(reasons.CHARGE_NOT_A_NUMBER, text)
    signs = {match[1] or match[3] or (match[4] or "")[:1] for match in matches}
    if len(signs) > 1:
        raise Unusable(reasons.CHARGE_NOT_A_NUMBER, text)
    sign = {"+": 1, "-": -1, "": 0}[signs.pop()]
    sizes = {int(match[2]) if match[2] else len(match[4]) for match in matches}
    size = sizes.pop() if len(sizes) == 1 else 0
    return Charge(size * (sign or 1), sign)


def parse_polarity(text: str) -> int:
    """What `polarity_of` says.

    Raises:
        Unusable: It is not understood.
    """
    polarity = polarity_of(text)
    if polarity is None:
        raise Unusable(reasons.UNKNOWN_POLARITY, f"{text!r}; expected the like of positive, ESI- or +")
    return polarity


@functools.lru_cache(maxsize=4096)
def parse_ion(text: str, sign: int) -> tuple[Adduct | None, int]:
    """An adduct's text -> (adduct or None when it is not known, polarity or 0).

    `M`, which has no charge, takes the record's `sign`; `[M+?]+` is an unknown adduct of known polarity.

    Raises:
        Unusable: It names no adduct.
    """
    text = text.strip()
    if is_unknown(text):
        return None, 0
    if unnamed := _UNNAMED_ION.fullmatch(text):
        polarity = {"+": 1, "-": -1}.get(unnamed[1][-1:], 0)
        if "?" in text:
            return None, polarity
        if not polarity and sign:
            text = "[M]+" if sign > 0 else "[M]-"
    try:
        adduct = parse_adduct(text)
    except DataError as error:
        raise Unusable(reasons.UNKNOWN_ADDUCT, error.message) from None
    return adduct, 1 if adduct.charge > 0 else -1
