"""Whether probabilities mean something."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

RELIABILITY_BINS = 10


@dataclasses.dataclass(frozen=True)
class ReliabilityBin:
    """Top hits whose probability lies in [low, high); the last bin holds 1 as well.

    Attributes:
        low: Lower end.
        high: Upper end.
        n: Number of top hits.
        probability: Their mean probability.
        correct: The share of them that is correct.
    """

    low: float
    high: float
    n: int
    probability: float
    correct: float


def reliability_table(
    probability: ArrayLike, correct: ArrayLike, *, bins: int = RELIABILITY_BINS
) -> list[ReliabilityBin]:
    """Compare the probabilities of top hits with how often they are correct.

    Args:
        probability: (n,) of the top hits, in [0, 1].
        correct: (n,) 1 where the hit is correct, else 0, or the expected share.
        bins: How many, of equal width.

    Returns:
        The bins that hold a hit.
    """
    probability, correct = np.asarray(probability, np.float64), np.asarray(correct, np.float64)
    number = np.minimum((probability * bins).astype(int), bins - 1)
    table = []
    for i in np.unique(number).tolist():
        members = number == i
        means = float(probability[members].mean()), float(correct[members].mean())
        table.append(ReliabilityBin(i / bins, (i + 1) / bins, int(members.sum()), *means))
    return table


def expected_calibration_error(probability: ArrayLike, correct: ArrayLike, *, bins: int = RELIABILITY_BINS) -> float:
    """Mean over top hits of |probability - share correct| of their bin (Naeini et al., AAAI 2015).

    In [0, 1], nan without any hit; arguments as for `reliability_table`.
    """
    table = reliability_table(probability, correct, bins=bins)
    n = sum(row.n for row in table)
    return sum(row.n * abs(row.probability - row.correct) for row in table) / n if n else float("nan")


def precision_and_coverage(probability: ArrayLike, correct: ArrayLike, threshold: float) -> tuple[float, float]:
    """Of the top hits with a probability of at least `threshold`: the share that is correct, and their share of all.

    Arguments as for `reliability_table`; nan where there is nothing to divide by.
    """
    accepted = np.asarray(probability, np.float64) >= threshold
    precision = float(np.asarray(correct, np.float64)[accepted].mean()) if accepted.any() else float("nan")
    return precision, float(accepted.mean()) if len(accepted) else float("nan")
