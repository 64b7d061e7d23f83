"""The precursor m/z that a record lacks, from its adduct and its structure."""

from __future__ import annotations

import re

from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.molecules.identity import structure_of
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable

_FIELDS = ("pepmass", "precursor_mz", "parent")
_ZERO = re.compile(r"[(\[ ]*0*(?:\.0*)?(?:[, ].*)?")
# the standard form of a molecule has no isotopes, and so another mass
_LABELLED = re.compile(r"\[\d+[A-Za-z]")


def derived_precursor(fields: dict[str, str], adduct: str | None, missing: Unusable) -> float:
    """The m/z of this ion of the molecule in the fields, from which precursors of 0 are taken out.

    Args:
        fields: Of the record.
        adduct: Canonical name.
        missing: Why it has no precursor m/z.

    Raises:
        Unusable: `missing` itself, where it says more than that there is none, or adduct or structure are not known.
    """
    is_zero = missing.reason == reasons.PRECURSOR_NOT_POSITIVE and _ZERO.fullmatch(missing.detail)
    if not adduct or not (is_zero or missing.reason == reasons.NO_PRECURSOR):
        raise missing
    is_labelled = _LABELLED.search(fields.get("smiles", "")) or "/i" in fields.get("inchi", "")
    form = None if is_labelled else structure_of(fields)
    if form is None:
        raise missing
    precursor_mz = parse_adduct(adduct).precursor_mz(form.exact_mass)
    if precursor_mz <= 0:
        raise missing
    for name in _FIELDS:
        fields.pop(name, None)
    return precursor_mz
