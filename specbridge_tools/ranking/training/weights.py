"""How much each kind of evidence weighs in the sum that ranks, and what sums mean where a list is not scored whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.constants import OPEN_RERANK
from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.network.ranker import ScoreFusion
from specbridge_tools.hits.expected_rank import expected_recall, tie_counts
from specbridge_tools.hits.fit_probability import fit_probabilities
from specbridge_tools.ranking.evidence import LINEAR, REFERENCE
from specbridge_tools.ranking.training.calibrate import KNOWN
from specbridge_tools.ranking.training.fusion import fit_fusion
from specbridge_tools.ranking.training.lists import LabelledList, list_weights
from specbridge_tools.reference.evidence import SAME_MOLECULE

Floats = NDArray[np.float64]
KINDS = tuple(kind for kind in REFERENCE if kind in LINEAR)
FACTORS = (0.2, 0.35, 0.5, 0.7, 1.0, 1.4)
_IS_OWN = np.array([kind in SAME_MOLECULE for kind in KINDS])
_START = np.array([LINEAR[kind] for kind in KINDS])
_MOST_LOST = 0.01
"""Recall at 1 that reference spectra may cost compounds that they do not have: far below what chance moves it by."""


class _Scored(NamedTuple):
    """A list: the sum without reference spectra, that of the candidates' own spectra and that of analogs, (n,) each."""

    labelled: LabelledList
    plain: Floats
    own: Floats
    analog: Floats

    def score(self, own: float, analog: float) -> Floats:
        return self.plain + own * self.own + analog * self.analog


@dataclasses.dataclass(frozen=True)
class SumFit:
    """The sum for one spectrum, or for several of one compound.

    Attributes:
        fusion: Of cosine and fragment score, calibrated for the first candidates by cosine.
        reference: `weights` of the kinds of reference evidence, and the `calibration` of the whole sum.
    """

    fusion: ScoreFusion
    reference: dict[str, dict[str, float]]

    def config(self) -> dict[str, Any]:
        """As the configuration of a `Ranker` holds it."""
        return {**dataclasses.asdict(self.fusion), "reference": self.reference}


def fit_sums(lists: Sequence[LabelledList]) -> dict[str, SumFit]:
    """Fit the sums {`single`, `group`}; where there are no groups, theirs is that of single spectra.

    Args:
        lists: Of molecules that neither the spectral encoder nor the fragment networks were trained on.

    Raises:
        DataError: Where no list holds its truth, or too few lists determine what the sums mean.
    """
    parts = {"single": [one for one in lists if not one.is_group], "group": [one for one in lists if one.is_group]}
    fits = {kind: fit_sum(part) for kind, part in parts.items() if any(one.truth >= 0 for one in part)}
    if "single" not in fits:
        raise DataError("no list of one spectrum holds its truth", advice="search an index that holds their molecules")
    return {"group": fits["single"], **fits}


def fit_sum(lists: Sequence[LabelledList]) -> SumFit:
    """Fit one sum: cosine and fragment score by likelihood, then how much reference spectra add to both by recall."""
    without = [one for one in lists if not one.is_known]
    cosine, fragment = fit_fusion(list(_fusion_queries(without)))
    fusion = ScoreFusion(round(cosine, 4), round(fragment, 4))
    calibration = _calibration(without, [_plain(one, fusion) for one in without], first=OPEN_RERANK)
    fusion = dataclasses.replace(fusion, calibration={"first": OPEN_RERANK, **calibration})
    scored = [_scored(one, fusion) for one in lists]
    own, analog = _factors(scored)
    weights = (np.where(_IS_OWN, own, analog) * _START).round(2).tolist()
    reference = {
        "weights": dict(zip(KINDS, weights, strict=True)),
        "calibration": _calibration(lists, [one.score(own, analog) for one in scored]),
    }
    return SumFit(fusion, reference)


def fit_cosine_calibration(lists: Sequence[LabelledList]) -> dict[str, float]:
    """Parameters of the probability where nothing but the cosine ranks."""
    single = [one for one in lists if not one.is_group and not one.is_known]
    return _calibration(single, [np.asarray(one.evidence.values["cosine"], np.float64) for one in single])


def _fusion_queries(lists: Sequence[LabelledList]) -> Iterator[tuple[Floats, int]]:
    """(cosine and fragment score (n, 2), row of the truth) of the lists that hold their truth among others."""
    for one in lists:
        if one.truth >= 0 and len(one.evidence) > 1:
            units = (ScoreFusion(1, 0), ScoreFusion(0, 1))
            yield np.stack([_plain(one, unit) for unit in units], axis=1), one.truth


def _plain(one: LabelledList, fusion: ScoreFusion) -> Floats:
    values = one.evidence.values
    return fusion.fuse(np.asarray(values["cosine"], np.float64), np.asarray(values["fragment_score"], np.float64))


def _scored(one: LabelledList, fusion: ScoreFusion) -> _Scored:
    evidence = np.stack([one.evidence.values[kind] for kind in KINDS], axis=1) * _START
    return _Scored(one, _plain(one, fusion), evidence[:, _IS_OWN].sum(axis=1), evidence[:, ~_IS_OWN].sum(axis=1))


def _factors(lists: Sequence[_Scored]) -> tuple[float, float]:
    """Factors of `LINEAR` for own spectra and for analogs, with the best recall at 1 of unknown and known compounds.

    Known ones count `KNOWN` times; and unknown ones must lose no more than `_MOST_LOST` by reference spectra. Most
    kinds are seen in few lists: fitted one by one, they would follow chance.
    """
    parts = {known: [one for one in lists if one.labelled.is_known == known] for known in (False, True)}
    before = _recall(parts[False], 0.0, 0.0)
    best = (-1.0, FACTORS[0], FACTORS[0])
    for own in FACTORS:
        for analog in FACTORS:
            unknown, known = (_recall(parts[is_known], own, analog) for is_known in (False, True))
            goal = unknown + KNOWN * known - (1.0 if unknown < before - _MOST_LOST else 0.0)
            best = max(best, (goal, own, analog))
    return best[1], best[2]


def _recall(lists: Sequence[_Scored], own: float, analog: float) -> float:
    """Recall at 1, ties at their expected rank, of the lists that hold their truth; 0 where there is none."""
    listed = [one for one in lists if one.labelled.truth >= 0]
    if not listed:
        return 0.0
    counts = [tie_counts(one.score(own, analog).round(6), one.labelled.truth) for one in listed]
    above, tied = np.transpose(counts)
    return float(np.average(expected_recall(above, tied, 1), weights=list_weights([one.labelled for one in listed])))


def _calibration(lists: Sequence[LabelledList], scores: Sequence[Floats], *, first: int = 0) -> dict[str, float]:
    """Parameters of the probability of lists, every other of which loses its truth as in a library without it.

    `first` candidates by cosine are scored, 0: all.
    """
    removed = np.random.default_rng(0).permutation(len(lists)) % 2 == 0
    chosen = []
    for one, score, is_removed in zip(lists, scores, removed, strict=True):
        rows = np.arange(len(score))
        if is_removed and one.truth >= 0:
            rows = np.delete(rows, one.truth)
        n = len(rows)
        if first:
            rows = rows[np.argsort(-one.evidence.values["cosine"][rows], kind="stable")[:first]]
        place = np.flatnonzero(rows == one.truth)
        chosen.append((score[rows], int(place[0]) if len(place) else -1, n))
    return fit_probabilities(chosen, weights=list_weights(lists, known=KNOWN))
