"""Candidate lists whose truth is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.ranking.evidence import Evidence


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledList:
    """The candidates of one query.

    Attributes:
        evidence: Of its n candidates.
        truth: Which candidate is right, -1 where none is.
        molecule: The right one, by the first block of its InChIKey; lists of one molecule are never parted.
        is_known: Whether the reference spectra have the right molecule; if not, they have none that is similar either.
    """

    evidence: Evidence
    truth: int
    molecule: str
    is_known: bool = False

    @property
    def is_group(self) -> bool:
        """Whether several spectra were measured."""
        return self.evidence.query.n_spectra > 1

    @property
    def kind(self) -> str:
        """Whether single or group, known or unknown."""
        return f"{'group' if self.is_group else 'single'}_{'known' if self.is_known else 'unknown'}"

    def without_truth(self) -> LabelledList:
        """The same list as from a library that lacks the truth."""
        if self.truth < 0:
            return self
        return dataclasses.replace(self, evidence=self.evidence.without(self.truth), truth=-1)


def require_molecules(lists: Sequence[LabelledList], n: int) -> None:
    """Raise `DataError` where fewer than n molecules have a list that holds them."""
    n_molecules = len({one.molecule for one in lists if one.truth >= 0})
    if n_molecules < n:
        raise DataError(
            f"{n_molecules} molecules whose lists hold them are too few to fit a ranking to",
            advice=f"give spectra of {n} or more",
        )


def list_weights(lists: Sequence[LabelledList], *, known: float = 1.0) -> NDArray[np.float64]:
    """Weights (n,) of lists: 1 / square root of the number of lists of the molecule, so that none dominates.

    Lists of known molecules count together `known` times as much as all others do.
    """
    molecules, place = np.unique([one.molecule for one in lists], return_inverse=True)
    counts = np.bincount(place, minlength=len(molecules))[place]
    weights: NDArray[np.float64] = 1 / np.sqrt(counts)
    is_known = np.array([one.is_known for one in lists], bool)
    if is_known.any() and not is_known.all():
        weights[is_known] *= known * weights[~is_known].sum() / weights[is_known].sum()
    return weights


def folds_of(lists: Sequence[LabelledList], n_folds: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Number (n,) of the fold of each list: whole molecules, drawn at random."""
    molecules, place = np.unique([one.molecule for one in lists], return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(len(molecules)) % n_folds
    folds: NDArray[np.int64] = drawn[place]
    return folds
