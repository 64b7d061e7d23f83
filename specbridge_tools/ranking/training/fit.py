"""The whole fit: cross-fitted scores, what they mean, and the networks that ship."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.ranking.evidence import LINEAR
from specbridge_tools.ranking.features import ListFeatures
from specbridge_tools.ranking.ranking import Ranking, Scored
from specbridge_tools.ranking.training.calibrate import calibrate
from specbridge_tools.ranking.training.lists import LabelledList, folds_of, list_weights, require_molecules
from specbridge_tools.ranking.training.train import DEFAULT_OPTIONS, TrainingOptions, train_networks

Floats = NDArray[np.float64]
Progress = Callable[[], None]
LinearWeights = Mapping[str, Mapping[str, float]]
DEFAULT_LINEAR: LinearWeights = {"single": LINEAR, "group": LINEAR}
FOLDS = 3
_KNOWN = 2.0  # the least under which known molecules rank no worse than by the linear sum (by cross-validation)


@dataclasses.dataclass(frozen=True, eq=False)
class RankingFit:
    """A ranking, and how it does on molecules that it was not fitted to.

    Attributes:
        ranking: Fitted to all lists.
        scored: Each list, by networks of the folds that did not see its molecule.
        without_truth: The same without the truth; as they are where they do not hold it.
    """

    ranking: Ranking
    scored: Sequence[Scored]
    without_truth: Sequence[Scored]


def fit_ranking(
    lists: Sequence[LabelledList],
    *,
    linear: LinearWeights = DEFAULT_LINEAR,
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
        linear: Weights of the linear sum, for one spectrum under `single` and for several under `group`.
        options: Of the training; without networks the linear sum is the score.
        folds: How many.
        seed: Of the folds.
        progress: Called after each training, `folds` + 1 times.

    Raises:
        DataError: Where there are too few molecules.
    """
    require_molecules(lists, 2 * folds)
    number = folds_of(lists, folds, seed=seed)
    scored: dict[int, Scored] = {}
    without_truth: dict[int, Scored] = {}
    for fold in range(folds):
        ranking = trained([one for one, other in zip(lists, number, strict=True) if other != fold], linear, options)
        for row in np.flatnonzero(number == fold).tolist():
            scored[row] = ranking.score(lists[row].evidence)
            # anew, since the columns compare the candidates of a list
            without_truth[row] = ranking.score(lists[row].without_truth().evidence)
        progress()
    seen, unseen = ([found[row] for row in range(len(lists))] for found in (scored, without_truth))
    calibrated = _calibrations(lists, seen, unseen)
    final = trained(lists, linear, options)
    progress()
    meaning = {kind: {**calibrated[kind], **final.config[kind]} for kind in calibrated}
    report = {
        "lists": len(lists),
        "molecules": len({one.molecule for one in lists if one.truth >= 0}),
        "training": dataclasses.asdict(options),
    }
    return RankingFit(dataclasses.replace(final, config={**meaning, **report}), seen, unseen)


def trained(lists: Sequence[LabelledList], linear: LinearWeights, options: TrainingOptions) -> Ranking:
    """A ranking that scores, without what its scores mean."""
    start = Ranking([], {kind: {"linear": dict(weights)} for kind, weights in linear.items()})
    if not options.networks:
        return start
    usable = [one for one in lists if one.truth >= 0 and len(one.evidence) > 1]
    columns = [ListFeatures(one.evidence, start.linear(one.evidence.query.n_spectra)).columns() for one in usable]
    networks = train_networks(
        columns, [one.truth for one in usable], list_weights(usable, known=_KNOWN), options=options
    )
    # as they will be stored
    stored = [{name: value.astype(np.float32).astype(np.float64) for name, value in one.items()} for one in networks]
    return dataclasses.replace(start, networks=stored)


def _calibrations(
    lists: Sequence[LabelledList], scored: Sequence[Scored], without_truth: Sequence[Scored]
) -> dict[str, Any]:
    kinds = {}
    for name, is_group in (("single", False), ("group", True)):
        rows = [row for row, one in enumerate(lists) if one.is_group == is_group]
        if not rows and not is_group:
            raise DataError("there is no list of one spectrum", advice="give spectra, not groups alone")
        if rows:
            kinds[name] = calibrate(
                [lists[row] for row in rows], [scored[row] for row in rows], [without_truth[row] for row in rows]
            )
    kinds.setdefault("group", kinds["single"])
    return kinds


def expected_ranks(lists: Sequence[LabelledList], scored: Sequence[Scored]) -> Floats:
    """Rank (n,) of each truth, ties sharing the mean of theirs; infinite where the list lacks it."""
    ranks = []
    for one, found in zip(lists, scored, strict=True):
        own = found.score[one.truth] if one.truth >= 0 else np.nan
        tied = (found.score == own).sum()
        ranks.append((found.score > own).sum() + (tied + 1) / 2 if one.truth >= 0 else np.inf)
    return np.array(ranks)


def recall_of(ranks: Floats, weights: Floats | None = None, *, at: Sequence[int] = (1, 5, 20)) -> Mapping[int, float]:
    """{k: share of the lists whose truth is among the first k}."""
    return {k: float(np.average(ranks <= k, weights=weights)) for k in at}
