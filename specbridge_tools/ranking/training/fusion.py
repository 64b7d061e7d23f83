"""How much the cosine and the fragment score weigh in the score that ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

_RIDGE = 1e-3


def fit_fusion(queries: Sequence[tuple[NDArray[np.float64], int]]) -> tuple[float, float]:
    """Fit the weights under which the true candidates are most probable.

    Minimises the mean cross entropy of the truth in a softmax over the weighted sums of a query's candidates, with a
    slight pull to 0.

    Args:
        queries: (features (n, 2): cosine and fragment score of each candidate; row of the truth) of molecules that
            neither the encoder nor the ranker was trained on.

    Returns:
        Weights >= 0 of the cosine and of the fragment score.

    Raises:
        ValueError: Without queries.
    """
    if not queries:
        raise ValueError("no queries to fit the fusion to")
    # centred: a constant within a query changes nothing but the accuracy of the sums
    centred = [(features - features.mean(axis=0), truth) for features, truth in queries]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = _RIDGE * weights @ weights, 2 * _RIDGE * weights
        for features, truth in centred:
            logits = features @ weights
            value += (logsumexp(logits) - logits[truth]) / len(centred)
            gradient = gradient + (softmax(logits) @ features - features[truth]) / len(centred)
        return float(value), gradient

    fit = minimize(loss, np.ones(2), jac=True, method="L-BFGS-B", bounds=[(0, None), (0, None)])
    return float(fit.x[0]), float(fit.x[1])
