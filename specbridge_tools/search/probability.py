"""From the scores of one candidate list to probabilities, "none of them" included."""

import numpy as np


def candidate_probabilities(scores, calibration):
    """Probability of each candidate, given the scores of *all* candidates of the list.

    p_i = exp(scale * s_i) / (sum_j exp(scale * s_j) + exp(null)): a softmax with one alternative more, that the truth
    is not in the list, whose log weight is `null`. `calibration` holds `scale` and `null`, fitted by
    `evaluation.calibration`. scores (n,) float -> (n,) float64, whose sum is below 1.
    """
    logits = calibration["scale"] * np.asarray(scores, np.float64)
    top = max(float(logits.max(initial=-np.inf)), float(calibration["null"]))
    weights = np.exp(logits - top)
    return weights / (weights.sum() + np.exp(calibration["null"] - top))
