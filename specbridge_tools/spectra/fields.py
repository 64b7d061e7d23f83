"""The named fields of a record: one set of names for every format and dialect, and what their values mean."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adducts import Adduct, parse_adduct
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.text import CONTROL

_ALIASES = {
    "precursor_mz": ("precursormz", "precursor_m_z", "selected_ion_m_z"),
    "charge": ("precursor_charge",),
    "adduct": ("precursor_type", "precursortype", "ion", "ion_type", "iontype"),
    "ionmode": ("ion_mode", "ionization_mode", "ionisation_mode", "ionizationmode", "polarity"),
    "mslevel": ("ms_level", "spectrum_type"),
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
_UNKNOWN = frozenset(("", "?", "-", "n/a", "na", "nan", "none", "null", "unknown", "undefined"))
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


def add_field(fields: dict[str, str], key: str, value: str) -> None:
    """Put a value under its canonical key; keep what is already there.

    A second, different value goes under the spelling of the file, or after the first, separated by `; `. Empty values
    are left out.

    Raises:
        Unusable: Fields of `ONLY_ONCE` differ in what they mean.
    """
    value = CONTROL.sub(" ", value).strip()
    if not value:
        return
    name = canonical_key(key)
    present = fields.setdefault(name, value)
    if present == value:
        return
    if name in ONLY_ONCE and not _agree(name, present, value):
        raise Unusable(reasons.CONTRADICTORY_FIELDS, f"{key} is {present!r} and {value!r}")
    if plain_key(key) != name:
        name = plain_key(key)
        present = fields.setdefault(name, value)
    if present != value and name not in ONLY_ONCE:
        fields[name] = f"{present}; {value}"


def _agree(name: str, text: str, other: str) -> bool:
    """Whether two texts of a field mean the same; a text that means nothing agrees with none."""
    try:
        if name == "charge":
            return parse_charge(text) == parse_charge(other)
        if name == "adduct":
            return parse_ion(text, 0) == parse_ion(other, 0)
        if name == "ionmode":
            return parse_polarity(text) == parse_polarity(other)
        if name == "mslevel":
            return re.sub(r"\D", "", text) == re.sub(r"\D", "", other)
        return float(text.split()[0]) == float(other.split()[0])
    except (Unusable, ValueError):
        return False


def is_unknown(text: str) -> bool:
    """Whether a text is one of the words that mean a missing value."""
    return text.strip().lower() in _UNKNOWN


@functools.lru_cache(maxsize=4096)
def parse_charge(text: str) -> Charge:
    """`2+`, `+2`, `2`, `++`, `1-` -> `Charge`; several (`1+ and 2+`) or 0 -> value 0, with the sign they share.

    Raises:
        Unusable: It is no charge.
    """
    if is_unknown(text):
        return Charge(0, 0)
    parts = _CHARGE_SEPARATOR.split(text.strip().strip("()[]"))
    matches = [match for part in parts if (match := _CHARGE.fullmatch(part))]
    if len(matches) < len(parts) or any(match[1] and match[3] for match in matches):
        raise Unusable(reasons.CHARGE_NOT_A_NUMBER, text)
    signs = {match[1] or match[3] or (match[4] or "")[:1] for match in matches}
    if len(signs) > 1:
        raise Unusable(reasons.CHARGE_NOT_A_NUMBER, text)
    sign = {"+": 1, "-": -1, "": 0}[signs.pop()]
    sizes = {int(match[2]) if match[2] else len(match[4]) for match in matches}
    size = sizes.pop() if len(sizes) == 1 else 0
    return Charge(size * (sign or 1), sign)


def parse_polarity(text: str) -> int:
    """`positive`, `Pos`, `P`, `+` -> 1; `negative`, `N`, `-` -> -1; anything else -> 0."""
    text = text.strip().lower()
    if text in ("p", "+", "+1", "1+") or text.startswith("pos"):
        return 1
    return -1 if text in ("n", "-", "-1", "1-") or text.startswith("neg") else 0


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
