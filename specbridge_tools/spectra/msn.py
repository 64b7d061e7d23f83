"""Spectra of MS3 and deeper as spectra of a molecule: that of their MS2 precursor."""

from __future__ import annotations

import re

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.ms_level import ms_level

PRECURSORS = "msn_precursor_mzs"
"""The field with the precursors of every level, that of MS2 first, `[289.07,245.08]`: MZmine and MSnLib write it."""
_OWN = ("pepmass", "precursor_mz")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
# MassBank: MS$FOCUSED_ION: PRECURSOR_M/Z 289.07/245.08
_CHAIN = re.compile(r"\s*\d+(?:\.\d*)?(?:\s*/\s*\d+(?:\.\d*)?)+\s*")
_MOST_ANCESTORS = 10_000


def is_deep(level_text: str | None) -> bool:
    """Whether a spectrum of this level is of MS3 or deeper."""
    level = ms_level(level_text or "")
    return level is not None and level > 2


def take_ms2_precursor(fields: dict[str, str]) -> None:
    """Make the MS2 precursor of a record of MS3 or deeper its precursor; its own becomes `selected_ion_mz`.

    It is the first of `msn_precursor_mzs`, or of a precursor m/z written as in MassBank, `289.07/245.08`.

    Raises:
        Unusable: The record does not state it.
    """
    text = fields.get(PRECURSORS) or next((fields[name] for name in _OWN if _CHAIN.fullmatch(fields.get(name, ""))), "")
    chain = _NUMBER.findall(text)
    if len(chain) < 2:
        raise Unusable(reasons.NO_MS2_PRECURSOR, f"{PRECURSORS} {text}" if text else f"no field {PRECURSORS}")
    for name in _OWN:
        fields.pop(name, None)
    fields[PRECURSORS] = f"[{','.join(chain)}]"
    fields["selected_ion_mz"] = chain[-1]
    fields["precursor_mz"] = chain[0]


class Ancestors:
    """The MS2 precursors of the spectra that were read last, by the names with which later ones refer to them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def remember(self, name: str, precursor_mz: str, charge: str) -> None:
        """Keep the m/z and the charge, '' if unknown, of a spectrum of MS2, or of the MS2 precursor of a deeper one."""
        self._known[name] = (precursor_mz, charge)
        if len(self._known) > _MOST_ANCESTORS:
            del self._known[next(iter(self._known))]

    def take(self, fields: dict[str, str], names: list[str | None], own: str | None) -> None:
        """Write the chain of precursors into the fields of a spectrum whose parents have these names."""
        # an SPS scan names its parent once for each ion
        found = next(filter(None, (self._known.get(name or "") for name in names)), None)
        if found is None:
            raise Unusable(reasons.NO_MS2_PRECURSOR, f"spectrum {names[0]} is not known" if any(names) else "")
        self.put(fields, *found, own)

    @staticmethod
    def put(fields: dict[str, str], precursor_mz: str, charge: str, own: str | None) -> None:
        """Write the chain of precursors, and the charge of the first, into the fields of a spectrum."""
        fields[PRECURSORS] = f"[{precursor_mz},{own or ''}]"
        if own:
            fields["precursor_mz"] = own
        if charge:
            fields["charge"] = charge
