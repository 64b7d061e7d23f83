"""The whole fit: cross-fitted scores, what they mean, and the networks that ship."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from specbridge_tools.errors import DataError
from specbridge_tools.hits.fit_probability import fit_probabilities
from specbridge_tools.ranking.answer_sets import fit_quantiles, probability_before
from specbridge_tools.ranking.features import candidate_columns
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.ranking.training.lists import LabelledList, folds_of, list_weights
from specbridge_tools.ranking.training.train import DEFAULT_OPTIONS, TrainingOptions, train_networks

Floats = NDArray[np.float64]
Progress = Callable[[], None]
FOLDS = 5
_SCALES = (1e-2, 10.0)


@dataclasses.dataclass(frozen=True, eq=False)
class RankingFit:
    """A ranking, and how it does on molecules that it was not fitted to.

    Attributes:
        ranking: Fitted to all lists.
        scores: Of each list the scores (n,) by networks of the folds that did not see its molecule.
    """

    ranking: Ranking
    scores: Sequence[Floats]


def fit_ranking(
    lists: Sequence[LabelledList],
    *,
    options: TrainingOptions = DEFAULT_OPTIONS,
    folds: int = FOLDS,
    seed: int = 0,
    progress: Progress = lambda: None,
) -> RankingFit:
    """Fit networks, calibration and answer sets.

    Probabilities are fitted to scores of lists whose molecules the scoring networks did not see: the molecules are
    parted into folds, and each fold is scored by networks trained on the others.

    Args:
        lists: Of molecules that neither the spectral encoder nor the fragment networks were trained on. Those of one
            spectrum and those of several are calibrated apart; where there are none of several, they are alike.
        options: Of the training.
        folds: How many.
        seed: Of the folds, and of the draw of lists that lose their truth.
        progress: Called after each training, `folds` + 1 times.

    Raises:
        DataError: Where there are too few molecules.
    """
    n_molecules = len({one.molecule for one in lists if one.truth >= 0})
    if n_molecules < 2 * folds:
        raise DataError(
            f"{n_molecules} molecules whose lists hold them are too few to fit a ranking to",
            advice=f"give spectra of {2 * folds} or more",
        )
    number = folds_of(lists, folds, seed=seed)
    scores: list[Floats] = [np.zeros(0)] * len(lists)
    without_truth = list(scores)
    for fold in range(folds):
        ranking = _trained([one for one, other in zip(lists, number, strict=True) if other != fold], options)
        for row in np.flatnonzero(number == fold).tolist():
            scores[row] = ranking.score(lists[row].evidence)
            # anew, since the columns compare the candidates of a list
            without_truth[row] = ranking.score(lists[row].without_truth().evidence)
        progress()
    calibrated = _calibrations(lists, scores, without_truth, seed)
    final = _trained(lists, options)
    progress()
    report = {"lists": len(lists), "molecules": n_molecules, "training": dataclasses.asdict(options)}
    return RankingFit(dataclasses.replace(final, config={**calibrated, **report}), scores)


def _trained(lists: Sequence[LabelledList], options: TrainingOptions) -> Ranking:
    usable = [one for one in lists if one.truth >= 0 and len(one.evidence) > 1]
    columns = [candidate_columns(one.evidence) for one in usable]
    networks = train_networks(columns, [one.truth for one in usable], list_weights(usable), options=options)
    # as they will be stored
    stored = [{name: value.astype(np.float32).astype(np.float64) for name, value in one.items()} for one in networks]
    return Ranking(stored, {})


def _calibrations(
    lists: Sequence[LabelledList], scores: Sequence[Floats], without_truth: Sequence[Floats], seed: int
) -> dict[str, Any]:
    kinds = {}
    for name, is_group in (("single", False), ("group", True)):
        rows = [row for row, one in enumerate(lists) if one.is_group == is_group]
        if not rows and not is_group:
            raise DataError("there is no list of one spectrum", advice="give spectra, not groups alone")
        if rows:
            absent = [without_truth[row] for row in rows]
            kinds[name] = calibrate([lists[row] for row in rows], [scores[row] for row in rows], absent, seed=seed)
    kinds.setdefault("group", kinds["single"])
    return kinds


def calibrate(
    lists: Sequence[LabelledList], scores: Sequence[Floats], without_truth: Sequence[Floats], *, seed: int = 0
) -> dict[str, Any]:
    """What scores mean: `hits.probability.PARAMETERS`, `listed_scale` and `coverage`.

    Half of the lists lose their truth for the first.

    Args:
        lists: Whose molecules the scores know nothing of.
        scores: (n,) of each.
        without_truth: Of each, once its truth is taken away.
        seed: Of the draw.
    """
    weights = list_weights(lists)
    listed = [(score, one.truth, weight) for score, one, weight in zip(scores, lists, weights, strict=True)]
    half = np.random.default_rng(seed).permutation(len(lists)) % 2 == 0
    absent = [
        (other, -1, len(other)) if gone else (score, truth, len(score))
        for (score, truth, _), other, gone in zip(listed, without_truth, half, strict=True)
    ]
    parameters = fit_probabilities(absent, weights=weights)
    with_truth = [one for one in listed if one[1] >= 0]
    scale = _listed_scale(with_truth)
    before = [probability_before(_share(scale * score))[truth] for score, truth, _ in with_truth]
    quantiles = fit_quantiles(before, weights=[weight for _, _, weight in with_truth])
    return {**parameters, "listed_scale": scale, "coverage": quantiles}


def _listed_scale(lists: Sequence[tuple[Floats, int, float]]) -> float:
    """The scale under which the truths are most probable in a softmax over their lists."""

    def loss(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return -sum(weight * np.log(_share(scale * score)[truth] + 1e-300) for score, truth, weight in lists)

    bounds = tuple(np.log(_SCALES))
    return round(float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x)), 6)


def _share(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max())
    shares: Floats = weights / weights.sum()
    return shares


def expected_ranks(lists: Sequence[LabelledList], scores: Sequence[Floats]) -> Floats:
    """Rank (n,) of each truth, ties sharing the mean of theirs; infinite where the list lacks it."""
    ranks = []
    for one, score in zip(lists, scores, strict=True):
        own = score[one.truth] if one.truth >= 0 else np.nan
        ranks.append((score > own).sum() + ((score == own).sum() + 1) / 2 if one.truth >= 0 else np.inf)
    return np.array(ranks)


def recall_of(ranks: Floats, weights: Floats | None = None, *, at: Sequence[int] = (1, 5, 20)) -> Mapping[int, float]:
    """{k: share of the lists whose truth is among the first k}."""
    return {k: float(np.average(ranks <= k, weights=weights)) for k in at}
