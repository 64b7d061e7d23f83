"""Where the truth stands in a list of candidates; ties count at their expected rank."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

RECALL_CUTOFFS = (1, 5, 20)


class TieCounts(NamedTuple):
    """How many candidates score above the truth, and how many as high, itself included: 0 where it is not listed."""

    above: int
    tied: int


NOT_LISTED = TieCounts(0, 0)


def tie_counts(scores: NDArray[Any], truth: int) -> TieCounts:
    """Counts for the candidate at position `truth` of `scores` (n,), higher is better."""
    own_score = scores[truth]
    return TieCounts(int((scores > own_score).sum()), int((scores == own_score).sum()))


def expected_recall(above: ArrayLike, tied: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """P(rank <= k) where every order of the tied candidates is equally likely: clip((k - above) / tied, 0, 1).

    Args:
        above: Candidates above the truth, any shape.
        tied: Candidates tied with it, itself included; 0 where the list does not hold it, and the recall is then 0.
        k: Highest rank that counts; the three are broadcast.
    """
    above, tied, k = np.asarray(above, np.float64), np.asarray(tied, np.float64), np.asarray(k, np.float64)
    return np.where(tied > 0, np.clip((k - above) / np.maximum(tied, 1), 0, 1), 0.0)


def expected_reciprocal_rank(above: ArrayLike, tied: ArrayLike) -> NDArray[np.float64]:
    """Mean of 1/rank over the ranks above + 1 to above + tied; 0 where tied is 0. Counts (n,) as above -> (n,)."""
    above, tied = np.asarray(above, np.int64), np.asarray(tied, np.int64)
    # sums of 1/1 ... 1/n
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, (above + tied).max(initial=0) + 1))])
    return np.where(tied > 0, (harmonic[above + tied] - harmonic[above]) / np.maximum(tied, 1), 0.0)
