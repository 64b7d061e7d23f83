"""The probability of re-ranked candidates."""

import numpy as np

from specbridge_tools.errors import UsageError
from specbridge_tools.hits.probability import candidate_probabilities


def fused_probabilities(hits, score, scored, fusion):
    """(n,) probabilities of the rows of `hits`, NaN where none is stated.

    score (n,): the fused scores; scored (n,) bool: which candidates the fragments were looked at of, the others have no
    probability; fusion: the ranker's `ScoreFusion` for the query. None has one where that is not calibrated; where the
    hits state none, for then nothing says that the list is whole; and where fewer were scored than in the fit.
    """
    stated = np.full(len(score), np.nan)
    calibration = fusion.calibration
    if calibration is None or not hits.value("probability"):
        return stated
    n_candidates = int(hits.value("n_candidates") or len(score))
    if scored.sum() >= min(calibration["first"], n_candidates):
        stated[scored] = candidate_probabilities(score[scored], calibration, n_candidates=n_candidates)
    return stated


def check_probabilities(ranker, top):
    """Raise `UsageError` where the scores of `top` candidates cannot become probabilities."""
    for fusion in (ranker.fusion(1), ranker.fusion(2)):
        if fusion.calibration is None:
            advice = "--rerank 0 states those of the cosine, or leave --min-probability out"
            raise UsageError("the ranker of the model is not calibrated", advice=advice)
        if 0 < top < fusion.calibration["first"]:
            first = fusion.calibration["first"]
            message = f"probabilities are calibrated on the first {first} candidates, not on {top}"
            raise UsageError(message, advice="re-rank more, or leave --min-probability out")
