"""Fitting `ranking.meaning` and answer sets to scores of lists whose molecules the networks did not see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from specbridge_tools.errors import DataError
from specbridge_tools.ranking.answer_sets import fit_quantiles, probability_before
from specbridge_tools.ranking.meaning import LISTED, NONE, SIGNS, probability_if_listed
from specbridge_tools.ranking.ranking import Scored
from specbridge_tools.ranking.training.lists import LabelledList, list_weights

Floats = NDArray[np.float64]
KNOWN = 0.5
"""How much lists of known molecules count beside all others: most molecules have never been measured."""
_RIDGE = 1e-3
_SAME_ION = SIGNS.index("best_same_ion")


def calibrate(
    lists: Sequence[LabelledList], scored: Sequence[Scored], without_truth: Sequence[Scored]
) -> dict[str, Any]:
    """What scores mean: `meaning.PARAMETERS` and `coverage`, by maximum likelihood.

    Each list that holds its truth counts half with it and half without; those of molecules that the reference spectra
    have count `KNOWN` times as much as the others do, and for answer sets not at all.

    Args:
        lists: Whose molecules the scores know nothing of.
        scored: Of each.
        without_truth: Of each, once its truth is taken away.

    Raises:
        DataError: Where no list holds its truth.
    """
    weights = list_weights(lists, known=KNOWN)
    rows = [row for row, one in enumerate(lists) if one.truth >= 0]
    if not rows:
        raise DataError("no list holds its truth", advice="search an index that holds the molecules of the spectra")
    truths = [lists[row].truth for row in rows]
    listed = _fit_listed([scored[row] for row in rows], truths, weights[rows])
    shares = [probability_if_listed(scored[row].score, scored[row].signs, listed) for row in rows]
    before = np.array([probability_before(share)[truth] for share, truth in zip(shares, truths, strict=True)])
    # an answer set shall hold also what was never measured, for which it takes more candidates
    counts = np.array([not lists[row].is_known for row in rows])
    counts |= not counts.any()
    quantiles = fit_quantiles(before[counts], weights=weights[rows][counts])
    present = [(scored[row], False, weights[row]) for row in rows]
    absent = [(one, True, weight) for one, weight in zip(without_truth, weights, strict=True) if len(one.score)]
    return {**listed, **_fit_none([*present, *absent], listed), "coverage": quantiles}


def _fit_listed(scored: Sequence[Scored], truths: Sequence[int], weights: Floats) -> dict[str, float]:
    """The scales under which the truths are most probable in a softmax over their lists."""
    lengths = np.array([len(one.score) for one in scored])
    starts = np.cumsum(lengths) - lengths
    # shifted so that the best of each list scores 0
    scores = np.concatenate([one.score - one.score.max() for one in scored])
    own = scores[starts + np.array(truths)]
    same_ion = np.array([one.signs[_SAME_ION] for one in scored])

    def loss(parameters: Floats) -> float:
        scales = np.exp(parameters[0] + parameters[1] * same_ion)
        totals = np.add.reduceat(np.exp(np.repeat(scales, lengths) * scores), starts)
        return float(np.average(np.log(totals) - scales * own, weights=weights) + _RIDGE * parameters @ parameters)

    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-5, 5)] * 2).x
    return dict(zip(LISTED, [round(float(np.exp(found[0])), 6), round(float(found[1]), 6)], strict=True))


def _fit_none(lists: Sequence[tuple[Scored, bool, float]], listed: dict[str, float]) -> dict[str, float]:
    """Logistic regression of whether a list lacks its truth, with a slight ridge penalty on standardised signs."""
    tops = [probability_if_listed(one.score, one.signs, listed).max() for one, _, _ in lists]
    signs = np.array([[np.log(top), *one.signs] for (one, _, _), top in zip(lists, tops, strict=True)])
    centre, spread = signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-6)
    columns = np.concatenate([np.ones((len(signs), 1)), (signs - centre) / spread], axis=1)
    side = np.array([1.0 if is_absent else -1.0 for _, is_absent, _ in lists])
    weights = np.array([weight for *_, weight in lists])
    weights = weights / weights.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        margin = side * (columns @ parameters)
        slopes = np.array([0.0, *parameters[1:]])
        gradient = columns.T @ (-weights * side * np.exp(-np.logaddexp(0, margin))) + _RIDGE * slopes
        return float(weights @ np.logaddexp(0, -margin) + _RIDGE / 2 * slopes @ slopes), gradient

    found = minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = found[1:] / spread
    return dict(zip(NONE, [round(float(value), 6) for value in (found[0] - slopes @ centre, *slopes)], strict=True))
