"""Probabilities that mean something: fitting them to held-back queries, and checking them."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from specbridge_tools.errors import DataError

RELIABILITY_BINS = 10
_BOUNDS = ((0.0, None), (None, None))


def remove_truths(queries, *, share=0.5, seed=0):
    """Take the truth out of the lists of randomly drawn queries, until `share` of all have none.

    queries: (scores (n,), position of the truth, or -1 when the list does not hold it). Lists without the truth count
    towards the share. -> the same number of queries in the same order. What "not in the library" looks like can only be
    learned from such lists.
    """
    present = [i for i, (_, truth) in enumerate(queries) if truth >= 0]
    n_remove = round(share * len(queries)) - (len(queries) - len(present))
    drawn = np.random.default_rng(seed).permutation(len(present))[: max(0, n_remove)]
    removed = {present[i] for i in drawn}
    return [(np.delete(s, truth), -1) if i in removed else (s, truth) for i, (s, truth) in enumerate(queries)]


def fit_calibration(queries: Sequence[tuple[np.ndarray, int]], *, seed=0, weights=None) -> Mapping[str, float]:
    """Fit `scale` a and `null` b of p_i = exp(a s_i) / (sum_j exp(a s_j) + exp(b)) by maximum likelihood.

    queries: (scores (n,), position of the truth or -1) of spectra that took no part in training, one per list; the
    truth is removed for half of them (`remove_truths`). weights (n_queries,): e.g. 1 / spectra of the molecule, so that
    no molecule dominates. The likelihood is that of a multinomial logit with a constant alternative (McFadden 1974),
    concave in (a, b); a is not below 0, so that a better score never means a lower probability. -> {"scale": a,
    "null": b}. Raises `DataError` where the lists do not determine the two.
    """
    from scipy.optimize import minimize  # slow to import, and needed for the fit alone

    weights = np.ones(len(queries)) if weights is None else np.asarray(weights, np.float64)
    queries = remove_truths([(np.asarray(s, np.float64), int(t)) for s, t in queries], seed=seed)
    kept = [(scores, truth, weight) for (scores, truth), weight in zip(queries, weights, strict=True) if len(scores)]
    if not any(truth >= 0 for _, truth, _ in kept) or all(truth >= 0 for _, truth, _ in kept):
        raise DataError(
            f"{len(queries)} queries hold no list with, or none without, the truth", advice="calibrate on more queries"
        )
    # in standard deviations from the usual best score, so that any unit of score converges alike
    spread = np.concatenate([scores for scores, _, _ in kept]).std() or 1.0
    centre = np.mean([scores.max() for scores, _, _ in kept])
    lists = _Lists([((scores - centre) / spread, truth) for scores, truth, _ in kept], [w for _, _, w in kept])
    found = minimize(lists.loss_and_gradient, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=_BOUNDS)
    if not np.isfinite(found.x).all():
        raise DataError("the calibration did not converge", advice="check that the scores are finite")
    slope, null = found.x
    return {"scale": float(slope / spread), "null": float(null + slope * centre / spread)}


class _Lists:
    """Score lists end to end, so that the likelihood of all is a few array operations."""

    def __init__(self, queries, weights):
        self._scores = np.concatenate([scores for scores, _ in queries])
        self._lengths = np.array([len(scores) for scores, _ in queries])
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]])
        truth = np.array([truth for _, truth in queries])
        self._absent = truth < 0
        self._true_score = np.where(self._absent, 0.0, self._scores[self._starts + np.maximum(truth, 0)])
        self._weights = np.asarray(weights) / np.sum(weights)

    def loss_and_gradient(self, parameters):
        """Mean negative log-likelihood and its two derivatives at (slope, null)."""
        slope, null = parameters
        logits = slope * self._scores
        top = np.maximum(np.maximum.reduceat(logits, self._starts), null)
        weight = np.exp(logits - np.repeat(top, self._lengths))
        none = np.exp(null - top)
        total = np.add.reduceat(weight, self._starts) + none
        loss = top + np.log(total) - np.where(self._absent, null, slope * self._true_score)
        expected_score = np.add.reduceat(weight * self._scores, self._starts) / total
        gradient = np.stack([expected_score - self._true_score, none / total - self._absent])
        return self._weights @ loss, gradient @ self._weights


@dataclasses.dataclass(frozen=True)
class ReliabilityBin:
    """Answers whose stated probability lies in [low, high); the last bin holds 1 as well."""

    low: float
    high: float
    n: int
    stated: float
    right: float


def reliability_table(probability, right, *, bins=RELIABILITY_BINS):
    """Stated against observed: (n,) probabilities of the top hits and (n,) 1 where right (or the expected share).

    -> `ReliabilityBin`s of equal width, those without an answer left out.
    """
    probability, right = np.asarray(probability, np.float64), np.asarray(right, np.float64)
    number = np.minimum((probability * bins).astype(int), bins - 1)
    return [
        ReliabilityBin(i / bins, (i + 1) / bins, int(m.sum()), float(probability[m].mean()), float(right[m].mean()))
        for i in range(bins)
        if (m := number == i).any()
    ]


def expected_calibration_error(probability, right, *, bins=RELIABILITY_BINS):
    """Mean over answers of |stated - observed| of their bin (Naeini et al., AAAI 2015). In [0, 1]; nan without any."""
    table = reliability_table(probability, right, bins=bins)
    n = sum(row.n for row in table)
    return sum(row.n * abs(row.stated - row.right) for row in table) / n if n else float("nan")


def precision_and_coverage(probability, right, threshold):
    """Of the answers with a probability of at least `threshold`: the share that is right, and their share of all.

    probability, right (n,) as in `reliability_table`; nan where there is nothing to divide by.
    """
    answered = np.asarray(probability, np.float64) >= threshold
    precision = float(np.asarray(right, np.float64)[answered].mean()) if answered.any() else float("nan")
    return precision, float(answered.mean()) if len(answered) else float("nan")
