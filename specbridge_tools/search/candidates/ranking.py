"""Candidates -> a ranked list: one entry a molecule, order and ranks that depend on nothing but the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.search.candidates.retrieve import Candidates


def ranked(candidates: Candidates) -> Candidates:
    """Best score first, equal scores by InChIKey block; of candidates with one block the best stays.

    Among equally good ones of a block, the one with the smaller mass error stays, then that of the lower row.
    """
    error = np.abs(candidates.mass_error_ppm)
    order = np.lexsort((candidates.row, error, candidates.inchikey14, -candidates.score))
    return candidates.take(order[first_of_each(candidates.inchikey14[order])])


def first_of_each(values: NDArray[Any]) -> NDArray[np.int64]:
    """Ascending positions (m,) at which a value of `values` (n,) appears for the first time."""
    return np.sort(np.unique(values, return_index=True)[1])


def ranks_in(order: Sequence[int], scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """`competition_ranks` of scores (n,) that `order` makes descend, each in the place of its score."""
    ranks = np.empty(len(scores), np.int64)
    ranks[order] = competition_ranks(scores[order])
    return ranks


def competition_ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Descending scores (n,) -> ranks (n,) from 1; equal scores share the lowest of their ranks: 1, 1, 3."""
    place = np.arange(len(scores))
    if not len(scores):
        return place
    starts = np.concatenate([[True], scores[1:] != scores[:-1]])
    return np.maximum.accumulate(np.where(starts, place, 0)) + 1
