"""The probability of re-ranked candidates."""

import numpy as np

from specbridge_tools.errors import UsageError
from specbridge_tools.search.probability import candidate_probabilities


def stated_probabilities(hits, score, scored, ranker):
    """(n,) probabilities of the rows of `hits`, NaN where none is stated.

    score (n,): the fused scores; scored (n,) bool: which candidates the fragments were looked at of, the others have no
    probability. None has one where the ranker is not calibrated; where the hits state none, for then nothing says that
    the list is whole; and where fewer were scored than the calibration is for.
    """
    stated = np.full(len(score), np.nan)
    calibration = ranker.config.get("calibration")
    if calibration is None or not hits.value("probability"):
        return stated
    if scored.sum() >= min(calibration["candidates"], int(hits.value("n_candidates") or len(score))):
        stated[scored] = candidate_probabilities(score[scored], calibration)
    return stated


def check_probabilities(ranker, top):
    """Raise `UsageError` where the scores of `top` candidates cannot become probabilities."""
    calibration = ranker.config.get("calibration")
    if calibration is None:
        advice = "--rerank 0 states those of the cosine, or leave --min-probability out"
        raise UsageError("the ranker of the model is not calibrated", advice=advice)
    if 0 < top < calibration["candidates"]:
        message = f"probabilities are calibrated on the first {calibration['candidates']} candidates, not on {top}"
        raise UsageError(message, advice="re-rank more, or leave --min-probability out")
