"""What speaks for the candidates of one query, each kind of evidence one number a candidate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.reference.evidence import ANALOG, SAME_MOLECULE

OWN = ("cosine", "fragment_score", "explained_intensity")
"""What a spectrum itself says of a candidate; NaN where it was not found."""
REFERENCE = (*SAME_MOLECULE, *ANALOG)
"""What reference spectra say of it, of the candidate itself and of related molecules; 0 where there is nothing."""


@dataclasses.dataclass(frozen=True)
class QueryConditions:
    """What is known of a query, whichever the candidate.

    Attributes:
        n_spectra: How many were measured.
        n_peaks: Of a spectrum, on average.
        positive: 1 for positive ions, 0 for negative ones.
        energy_known: Share of the spectra whose collision energy is known.
        precursor_share: Of the intensity, in [0, 1], on average.
        has_reference: Whether reference spectra were looked at.
    """

    n_spectra: int
    n_peaks: float
    positive: float
    energy_known: float
    precursor_share: float
    has_reference: bool = False


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """The candidates of one query.

    Attributes:
        values: {kind: (n,)} of `OWN`, and of `REFERENCE` where reference spectra were looked at.
        formulas: Of the n candidates, '' where it is unknown.
        query: What is known of the query.
    """

    values: Mapping[str, NDArray[np.float64]]
    formulas: Sequence[str]
    query: QueryConditions

    def __len__(self) -> int:
        return len(self.formulas)

    def without(self, row: int) -> Evidence:
        """The same list without one of its candidates."""
        kept = [number for number in range(len(self)) if number != row]
        values = {kind: value[kept] for kind, value in self.values.items()}
        return dataclasses.replace(self, values=values, formulas=[self.formulas[number] for number in kept])

    def without_reference(self) -> Evidence:
        """The same list, no reference spectra looked at."""
        values = {kind: self.values[kind] for kind in OWN}
        return dataclasses.replace(self, values=values, query=dataclasses.replace(self.query, has_reference=False))
