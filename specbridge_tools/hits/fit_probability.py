"""Fitting `hits.probability` to the scores of held-back queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.hits.probability import PARAMETERS

Floats: TypeAlias = NDArray[np.float64]

_BOUNDS = ((0.0, None), (None, None), (None, None), (None, None))
_RIDGE = 1e-3


def remove_truths(
    queries: Sequence[tuple[Floats, int]], *, share: float = 0.5, seed: int = 0
) -> list[tuple[Floats, int]]:
    """Take the truth out of the lists of randomly drawn queries, until `share` of all have none.

    What "not in the library" looks like can only be learned from such lists.

    Args:
        queries: Scores (n,) and position of the truth, -1 where the list does not hold it; such lists count towards
            the share.
        share: Of all queries, in [0, 1].
        seed: Of the draw.

    Returns:
        As many queries in the same order.
    """
    with_truth = [i for i, (_, truth) in enumerate(queries) if truth >= 0]
    n_remove = round(share * len(queries)) - (len(queries) - len(with_truth))
    drawn = np.random.default_rng(seed).permutation(len(with_truth))[: max(0, n_remove)]
    removed = {with_truth[i] for i in drawn}
    return [
        (np.delete(scores, truth), -1) if i in removed else (scores, truth) for i, (scores, truth) in enumerate(queries)
    ]


def fit_calibration(
    queries: Sequence[tuple[ArrayLike, int]], *, seed: int = 0, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Run `fit_probabilities` on complete candidate lists, half of which lose their truth.

    Args:
        queries: Scores (n,) and position of the truth or -1, one for each spectrum; none took part in training.
        seed: Of the draw of those that lose it.
        weights: (n_queries,), as for `fit_probabilities`.
    """
    scored = remove_truths([(np.asarray(scores, np.float64), int(truth)) for scores, truth in queries], seed=seed)
    return fit_probabilities([(scores, truth, len(scores)) for scores, truth in scored], weights=weights)


def fit_probabilities(
    lists: Sequence[tuple[ArrayLike, int, int]], *, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Fit the parameters of `hits.probability.candidate_probabilities` by maximum likelihood.

    A slight ridge penalty keeps the two slopes of `none` small where few lists speak for them. The scale is at least 0,
    so that a better score never means a lower probability.

    Args:
        lists: Scores (n,), position of the truth or -1, and number of candidates that the search found, of spectra that
            took no part in training, some of them without their truth.
        weights: (n_lists,), e.g. 1 / spectra of the molecule, so that no molecule dominates; None weighs all alike.

    Returns:
        The four parameters by name.

    Raises:
        DataError: Where the lists do not determine them.
    """
    from scipy.optimize import minimize  # slow to import, and needed for the fit alone

    list_weights = np.ones(len(lists)) if weights is None else np.asarray(weights, np.float64)
    weighted = [
        (np.asarray(scores, np.float64), truth, n_found, float(weight))
        for (scores, truth, n_found), weight in zip(lists, list_weights, strict=True)
        if np.size(scores)
    ]
    holds_truth = {truth >= 0 for _, truth, _, _ in weighted}
    if len(holds_truth) < 2:
        raise DataError(
            f"the {len(lists)} queries include no list with the truth, or none without it",
            advice="calibrate on more queries",
        )
    # in standard deviations within a list, so that any unit of score converges alike
    spread = float(np.sqrt(np.mean([np.var(scores) for scores, *_ in weighted]))) or 1.0
    score_lists = _ScoreLists([(scores / spread, truth, n, weight) for scores, truth, n, weight in weighted])
    start = np.array([1.0, 0.0, 0.0, 0.0])
    fitted = minimize(score_lists.loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=_BOUNDS).x
    if not np.isfinite(fitted).all():
        raise DataError("the calibration did not converge", advice="check that the scores are finite")
    return dict(zip(PARAMETERS, [float(fitted[0] / spread), *map(float, fitted[1:])], strict=True))


class _ScoreLists:
    """Score lists end to end, so that the likelihood of all is a few array operations.

    Of each list: scores (n,), position of the truth or -1, number of candidates found, weight.
    """

    def __init__(self, lists: Sequence[tuple[Floats, int, int, float]]) -> None:
        scores, truth, n_found, weights = zip(*lists, strict=True)
        self._lengths = np.array([len(values) for values in scores])
        self._starts = np.cumsum(self._lengths) - self._lengths
        # shifted so that the best of each list scores 0
        self._scores = np.concatenate([values - values.max() for values in scores])
        self._absent = np.array(truth) < 0
        self._true_score = np.where(self._absent, 0.0, self._scores[self._starts + np.maximum(truth, 0)])
        self._log_candidates = np.log(np.maximum(n_found, self._lengths))
        self._weights = np.asarray(weights) / np.sum(weights)

    def loss_and_gradient(self, parameters: Floats) -> tuple[float, Floats]:
        """Mean negative log-likelihood with the ridge penalty, and its derivatives by the four parameters."""
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
        ridge = _RIDGE * np.array([0, 0, *slopes])
        return self._weights @ loss + 0.5 * ridge @ parameters, gradient + ridge
