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
LINEAR = {
    "cosine": 3.4,
    "fragment_score": 0.81,
    "same_ion": 5.0,
    "same_polarity_fragments": 8.0,
    "same_polarity_losses": 8.0,
    "other_polarity_fragments": 8.0,
    "analog_max": 9.0,
    "analog_mean1": 8.0,
    "analog_mean2": 3.0,
}
"""A sum of the evidence that ranks well, for a model that has no weights of its own."""


@dataclasses.dataclass(frozen=True)
class QueryConditions:
    """What is known of a query, whichever the candidate.

    Attributes:
        n_spectra: How many were measured.
        n_peaks: Of a spectrum, on average.
    """

    n_spectra: int
    n_peaks: float


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """The candidates of one query.

    Attributes:
        values: {kind: (n,)} of `OWN` and `REFERENCE`.
        formulas: Of the n candidates, '' where it is unknown.
        query: What is known of the query.
    """

    values: Mapping[str, NDArray[np.float64]]
    formulas: Sequence[str]
    query: QueryConditions

    def __len__(self) -> int:
        return len(self.formulas)

    def take(self, rows: Sequence[int]) -> Evidence:
        """The list of these of its candidates."""
        values = {kind: value[list(rows)] for kind, value in self.values.items()}
        return dataclasses.replace(self, values=values, formulas=[self.formulas[row] for row in rows])

    def without(self, row: int) -> Evidence:
        """The same list without one of its candidates."""
        return self.take([number for number in range(len(self)) if number != row])
