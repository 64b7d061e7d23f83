"""How much the cosine and the fragment score weigh in the score that ranks."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

_RIDGE = 1e-3


def fit_fusion(queries):
    """Weights (cosine, fragment score), both >= 0, under which the truths are most probable.

    queries: list of (features (n, 2) float64: cosine and fragment score of each candidate; truth, its row). Minimises
    the mean cross entropy of the truth in a softmax over the weighted sums of a query's candidates, with a slight pull
    to 0. The queries must be of molecules that neither the encoder nor the ranker was trained on.
    """
    if not queries:
        raise ValueError("no queries to fit the fusion to")
    # centred: a constant within a query changes nothing but the accuracy of the sums
    centred = [(features - features.mean(axis=0), truth) for features, truth in queries]

    def loss(weights):
        value, gradient = _RIDGE * weights @ weights, 2 * _RIDGE * weights
        for features, truth in centred:
            logits = features @ weights
            value += (logsumexp(logits) - logits[truth]) / len(centred)
            gradient = gradient + (softmax(logits) @ features - features[truth]) / len(centred)
        return value, gradient

    found = minimize(loss, np.ones(2), jac=True, method="L-BFGS-B", bounds=[(0, None), (0, None)])
    return float(found.x[0]), float(found.x[1])
