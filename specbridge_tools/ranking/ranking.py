"""The learned ranking: networks, and as plain values what their scores mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.ranking.answer_sets import in_answer_set
from specbridge_tools.ranking.evidence import LINEAR, Evidence
from specbridge_tools.ranking.features import ListFeatures
from specbridge_tools.ranking.meaning import none_probability, probability_if_listed, signs_of
from specbridge_tools.ranking.network import Floats, Weights, network_score
from specbridge_tools.threads import one_blas_thread

_DECIMALS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Scored:
    """The candidates of one query.

    Attributes:
        score: (n,) rounded, so that digits which mean nothing decide nothing.
        signs: Of the list, `meaning.SIGNS`.
        n_spectra: Of the query.
    """

    score: Floats
    signs: Floats
    n_spectra: int


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking:
    """Scores the candidates of a query by all evidence.

    Attributes:
        networks: Their scores are averaged; without any the linear sum is the score.
        config: Under `single`, and `group` for several spectra of one compound, `meaning.PARAMETERS` and `coverage`,
            and `linear`, the weights of the linear sum, where they are not `evidence.LINEAR`; and whatever the training
            reports. Plain JSON.
    """

    networks: Sequence[Weights]
    config: Mapping[str, Any]

    def score(self, evidence: Evidence) -> Scored:
        """Score the candidates of a list."""
        features = ListFeatures(evidence, self.linear(evidence.query.n_spectra))
        score = features.sum
        if self.networks:
            columns = features.columns()
            with one_blas_thread():
                score = sum((network_score(each, columns) for each in self.networks), start=np.zeros(len(columns)))
            score = score / len(self.networks)
        score = np.round(score, _DECIMALS)
        return Scored(score, signs_of(features.values, score), evidence.query.n_spectra)

    def linear(self, n_spectra: int) -> Mapping[str, float]:
        """The weights of the linear sum for a query of so many spectra."""
        values: Mapping[str, Any] = self.config.get("group" if n_spectra > 1 else "single", {})
        weights: Mapping[str, float] = values.get("linear", LINEAR)
        return weights

    def calibration(self, n_spectra: int) -> Mapping[str, Any]:
        """What the scores of a query of so many spectra mean."""
        values: Mapping[str, Any] = self.config["group" if n_spectra > 1 else "single"]
        return values

    def probability_if_listed(self, scored: Scored) -> Floats:
        """Probability (n,) of each candidate, given that one of them is right; the sum is 1."""
        return probability_if_listed(scored.score, scored.signs, self.calibration(scored.n_spectra))

    def probability(self, scored: Scored) -> Floats:
        """Probability (n,) of each candidate, that none is right included; the sum is at most 1."""
        listed = self.probability_if_listed(scored)
        if not len(listed):
            return listed
        none = none_probability(float(listed.max()), scored.signs, self.calibration(scored.n_spectra))
        found: Floats = listed * (1 - none)
        return found

    def answer_set(self, scored: Scored, coverage: float) -> NDArray[np.bool_]:
        """Whether each candidate (n,) is among those that hold the truth in this share of cases, if it is listed."""
        listed = self.probability_if_listed(scored)
        return in_answer_set(listed, self.calibration(scored.n_spectra)["coverage"], coverage)
