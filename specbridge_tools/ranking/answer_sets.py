"""As few candidates as hold the truth in a given share of cases, if it is listed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
QUANTILES = 101


def probability_before(probability_if_listed: ArrayLike) -> Floats:
    """Sum (n,) of the probabilities of all candidates that are more probable than each of n; ties share theirs."""
    probability = np.asarray(probability_if_listed, np.float64)
    distinct, place = np.unique(probability, return_inverse=True)
    sums = distinct * np.bincount(place, minlength=len(distinct))
    above: Floats = sums[::-1].cumsum()[::-1] - sums
    return above[place]


def fit_quantiles(before_truth: ArrayLike, *, weights: ArrayLike | None = None) -> list[float]:
    """Quantiles 0, 0.01, ..., 1 of `probability_before` of the truths of lists that were not fitted to.

    A set that ends where this sum passes the quantile q holds the truth in q of such cases (adaptive prediction sets,
    Romano et al., NeurIPS 2020, without their randomisation).

    Args:
        before_truth: (n,), at least one.
        weights: (n,) of the lists; None weighs all alike.
    """
    values = np.asarray(before_truth, np.float64)
    given = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(given[order]) / given.sum()
    wanted = np.linspace(0, 1, QUANTILES)
    places = np.minimum(np.searchsorted(reached, wanted - 1e-12), len(values) - 1)
    return [round(float(value), 9) for value in values[order][places]]


def in_answer_set(probability_if_listed: ArrayLike, quantiles: Sequence[float], coverage: float) -> NDArray[np.bool_]:
    """Whether each candidate (n,) belongs to the answer set; the most probable always does.

    Args:
        probability_if_listed: (n,) of all candidates of a list.
        quantiles: Of `fit_quantiles`.
        coverage: In [0, 1].
    """
    limit = np.interp(coverage, np.linspace(0, 1, len(quantiles)), quantiles)
    within: NDArray[np.bool_] = probability_before(probability_if_listed) <= limit
    return within
