"""The learned ranking: networks, and as plain values what their scores mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.ranking.answer_sets import in_answer_set
from specbridge_tools.ranking.evidence import Evidence
from specbridge_tools.ranking.features import candidate_columns
from specbridge_tools.ranking.network import Floats, Weights, network_score
from specbridge_tools.threads import one_blas_thread

_DECIMALS = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking:
    """Scores the candidates of a query by all evidence.

    Attributes:
        networks: One or more; their scores are averaged.
        config: Under `single`, and `group` for several spectra of one compound, the parameters of
            `hits.probability.candidate_probabilities`, `listed_scale` and `coverage`; and whatever the training
            reports. Plain JSON.
    """

    networks: Sequence[Weights]
    config: Mapping[str, Any]

    def score(self, evidence: Evidence) -> Floats:
        """Scores (n,), rounded, so that digits which mean nothing decide nothing."""
        columns = candidate_columns(evidence)
        with one_blas_thread():
            total = sum((network_score(weights, columns) for weights in self.networks), start=np.zeros(len(columns)))
        rounded: Floats = np.round(total / len(self.networks), _DECIMALS)
        return rounded

    def calibration(self, n_spectra: int) -> Mapping[str, float]:
        """What the scores of a query of so many spectra mean."""
        values: Mapping[str, float] = self.config[_kind(n_spectra)]
        return values

    def probability(self, score: Floats, *, n_spectra: int, n_candidates: int) -> Floats:
        """Probability (n,) of each candidate, that none is right included; the sum is at most 1."""
        return candidate_probabilities(score, self.calibration(n_spectra), n_candidates=n_candidates)

    def probability_if_listed(self, score: Floats, *, n_spectra: int) -> Floats:
        """Probability (n,) of each candidate, given that one of them is right; the sum is 1."""
        logits = self.calibration(n_spectra)["listed_scale"] * np.asarray(score, np.float64)
        weights = np.exp(logits - logits.max(initial=-np.inf))
        return weights / np.sort(weights).sum() if len(weights) else weights

    def answer_set(self, probability_if_listed: Floats, coverage: float, *, n_spectra: int) -> NDArray[np.bool_]:
        """Whether each candidate (n,) is among those that hold the truth in this share of cases, if it is listed."""
        return in_answer_set(probability_if_listed, self.config[_kind(n_spectra)]["coverage"], coverage)


def _kind(n_spectra: int) -> str:
    return "group" if n_spectra > 1 else "single"
