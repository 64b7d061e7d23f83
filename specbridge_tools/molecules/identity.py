"""The molecule that a spectrum's own metadata names."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.missing import is_missing

if TYPE_CHECKING:
    from specbridge_tools.molecules.molecule import StandardForm
    from specbridge_tools.spectra.spectrum import Spectrum


def structure_key(spectrum: Spectrum) -> str | None:
    """First InChIKey block of the structure in the metadata, or None.

    `smiles` or `inchi` is standardised, so that a salt, a stereo form or another spelling has the key of its parent;
    the `inchikey` field counts only where neither can be read.
    """
    form = structure(spectrum)
    if form is not None:
        return form.inchikey14
    inchikey = spectrum.metadata.get("inchikey", "")
    return inchikey[:14] if len(inchikey) >= 14 and inchikey[:14].isalpha() and inchikey[:14].isupper() else None


def structure_key_of(smiles: str) -> str | None:
    """First InChIKey block of a SMILES, or None where it cannot be read."""
    form = _standard_form(smiles, "smiles")
    return None if form is None else form.inchikey14


def structure(spectrum: Spectrum) -> StandardForm | None:
    """Standard form of the `smiles` or else the `inchi` in the metadata, or None where neither can be read."""
    return structure_of(spectrum.metadata)


def structure_of(metadata: Mapping[str, str]) -> StandardForm | None:
    """The same of metadata alone."""
    for kind in ("smiles", "inchi"):
        form = _standard_form(metadata.get(kind, ""), kind)
        if form is not None:
            return form
    return None


@functools.lru_cache(maxsize=100_000)
def _standard_form(text: str, kind: str) -> StandardForm | None:
    from specbridge_tools.molecules.chemistry import standardise

    if is_missing(text):
        return None
    try:
        return standardise(text, kind=kind)
    except DataError:
        return None
