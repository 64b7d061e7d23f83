"""Probabilities that mean something: fitting them to held-back queries, and checking them."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.hits.probability import PARAMETERS

RELIABILITY_BINS = 10
_BOUNDS = ((0.0, None), (None, None), (None, None), (None, None))
_PULL = 1e-3


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
    """`fit_probabilities` of whole candidate lists, half of which lose their truth.

    queries: (scores (n,), position of the truth or -1) of spectra that took no part in training, one per list; the
    truth is removed for half of them (`remove_truths`).
    """
    queries = remove_truths([(np.asarray(scores, np.float64), int(truth)) for scores, truth in queries], seed=seed)
    return fit_probabilities([(scores, truth, len(scores)) for scores, truth in queries], weights=weights)


def fit_probabilities(lists, *, weights=None):
    """Fit the parameters of `hits.probability.candidate_probabilities` by maximum likelihood.

    lists: (scores (n,), position of the truth or -1, number of candidates that the search found) of spectra that took
    no part in training, some of them without their truth. weights (n_lists,): e.g. 1 / spectra of the molecule, so that
    no molecule dominates. A slight pull to 0 keeps the two slopes of `none` small where few lists speak for them; the
    scale is not below 0, so that a better score never means a lower probability. -> the four parameters. Raises
    `DataError` where the lists do not determine them.
    """
    from scipy.optimize import minimize  # slow to import, and needed for the fit alone

    weights = np.ones(len(lists)) if weights is None else np.asarray(weights, np.float64)
    kept = [(*one, weight) for one, weight in zip(lists, weights, strict=True) if len(one[0])]
    if not any(truth >= 0 for _, truth, _, _ in kept) or all(truth >= 0 for _, truth, _, _ in kept):
        raise DataError(
            f"{len(lists)} queries hold no list with, or none without, the truth", advice="calibrate on more queries"
        )
    # in standard deviations within a list, so that any unit of score converges alike
    spread = np.sqrt(np.mean([np.var(scores) for scores, *_ in kept])) or 1.0
    scaled = _Lists([(np.asarray(scores, np.float64) / spread, truth, n, weight) for scores, truth, n, weight in kept])
    start = np.array([1.0, 0.0, 0.0, 0.0])
    found = minimize(scaled.loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=_BOUNDS)
    if not np.isfinite(found.x).all():
        raise DataError("the calibration did not converge", advice="check that the scores are finite")
    return dict(zip(PARAMETERS, [float(found.x[0] / spread), *map(float, found.x[1:])], strict=True))


class _Lists:
    """Score lists end to end, so that the likelihood of all is a few array operations."""

    def __init__(self, lists):
        scores, truth, found, weights = zip(*lists, strict=True)
        self._lengths = np.array([len(each) for each in scores])
        self._starts = np.cumsum(self._lengths) - self._lengths
        # shifted so that the best of each list scores 0
        self._scores = np.concatenate([each - each.max() for each in scores])
        self._absent = np.array(truth) < 0
        self._true_score = np.where(self._absent, 0.0, self._scores[self._starts + np.maximum(truth, 0)])
        self._log_candidates = np.log(np.maximum(found, self._lengths))
        self._weights = np.asarray(weights) / np.sum(weights)

    def loss_and_gradient(self, parameters):
        """Mean negative log-likelihood, with the pull to 0, and its derivatives at the four parameters."""
        scale, none, *slopes = parameters
        weight = np.exp(scale * self._scores)
        total = np.add.reduceat(weight, self._starts)
        expected_score = np.add.reduceat(weight * self._scores, self._starts) / total
        log_top = -np.log(total)
        features = np.stack([np.ones(len(total)), self._log_candidates, log_top])
        logit = np.array([none, *slopes]) @ features
        log_which = scale * self._true_score + log_top
        loss = np.where(self._absent, np.logaddexp(0, -logit), np.logaddexp(0, logit) - log_which)
        by_logit = 0.5 * (1 + np.tanh(logit / 2)) - self._absent
        by_scale = np.where(self._absent, 0.0, expected_score - self._true_score)
        by_scale = by_scale - by_logit * slopes[1] * expected_score
        gradient = np.concatenate([[self._weights @ by_scale], features @ (by_logit * self._weights)])
        pull = _PULL * np.array([0, 0, *slopes])
        return self._weights @ loss + 0.5 * pull @ parameters, gradient + pull


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
