"""What a search needs to know of one spectrum, or of one group of spectra."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.molecules.adducts import Adduct
from specbridge_tools.spectra.spectrum import Spectrum

_NO_VECTOR = np.zeros(0)


@dataclasses.dataclass(frozen=True, eq=False)
class Query:
    """One record to answer.

    Attributes:
        id: as the hits name it.
        record: its number, 1-based.
        reason: why it cannot be searched; '' where it can, and only then the rest is set.
        precursor_mz: m/z.
        adducts: the hypotheses to search, at least one.
        formula: as `molecules.formula.plain_formula` writes it; '' outside of formula mode.
        vector: (d,), unit norm, on the grid of `search.index.exact_scores`.
        list_id: the field CANDIDATES of the spectrum, '' for none.
        spectra: the spectrum, or all of the group, where the reader keeps them.
        repaired: what the reader overruled in it, see `Spectrum.repaired`.
        usi: Universal Spectrum Identifier of the spectrum, those of a group with `;` between them, '' for none.
        isotopes: see `Spectrum.isotopes`; of a group those of its first spectrum that has some.
    """

    id: str
    record: int
    reason: str = ""
    precursor_mz: float = 0.0
    adducts: tuple[Adduct, ...] = ()
    formula: str = ""
    vector: NDArray[np.float64] = dataclasses.field(default_factory=lambda: _NO_VECTOR)
    list_id: str = ""
    spectra: tuple[Spectrum, ...] = ()
    repaired: str = ""
    usi: str = ""
    isotopes: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.zeros((0, 2)))
