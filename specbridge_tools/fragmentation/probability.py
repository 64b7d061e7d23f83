"""The probability of re-ranked candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import UsageError
from specbridge_tools.fragmentation.network.ranker import Ranker, ScoreFusion
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.probability import candidate_probabilities


def fused_probabilities(
    hits: Hits, score: NDArray[np.float64], scored: NDArray[np.bool_], fusion: ScoreFusion
) -> NDArray[np.float64]:
    """Compute the probabilities of the candidates of one query from their fused scores.

    There is none where the fused score is not calibrated; where the hits have no probability by cosine, since their
    list may then not be complete; and where fewer candidates were scored than in the fit of the calibration.

    Args:
        hits: n candidates.
        score: (n,) fused scores.
        scored: (n,) whether a candidate's fragments were scored; the others have no probability.
        fusion: The ranker's for this query.

    Returns:
        (n,), NaN where there is none.
    """
    probability = np.full(len(score), np.nan)
    calibration = fusion.calibration
    if calibration is None or not hits.value("probability"):
        return probability
    n_candidates = int(hits.value("n_candidates") or len(score))
    if scored.sum() >= min(calibration["first"], n_candidates):
        probability[scored] = candidate_probabilities(score[scored], calibration, n_candidates=n_candidates)
    return probability


def check_probabilities(ranker: Ranker, top: int) -> None:
    """Raise `UsageError` where the scores of `top` candidates (0 for all) cannot become probabilities."""
    for fusion in (ranker.fusion(1), ranker.fusion(2)):
        if fusion.calibration is None:
            advice = "use --rerank 0 for the probabilities of the cosine, or leave --min-probability out"
            raise UsageError("the ranker of the model is not calibrated", advice=advice)
        if 0 < top < fusion.calibration["first"]:
            first = fusion.calibration["first"]
            message = f"probabilities are calibrated on the first {first} candidates, not on {top}"
            raise UsageError(message, advice="re-rank more, or leave --min-probability out")
