"""From the scores of one candidate list to probabilities, "none of them" included."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specbridge_tools.errors import FormatError

PARAMETERS = ("scale", "none", "none_log_candidates", "none_log_top")


def candidate_probabilities(
    scores: ArrayLike, calibration: Mapping[str, float], *, n_candidates: int
) -> NDArray[np.float64]:
    """Probability of each candidate, given the scores of all that were scored.

    p_i = q_i (1 - p_none), where q = softmax(scale * scores) says which one if any, and p_none that none of them is
    right:

        logit(p_none) = none + none_log_candidates * ln(n_candidates) + none_log_top * ln(max q)

    More candidates make a chance resemblance more likely, and a first one that stands out less so. Scores are compared
    within their list alone: those of a list may all be shifted.

    Args:
        scores: (n,) of one list.
        calibration: The four `PARAMETERS`, fitted by `hits.fit_probability`.
        n_candidates: How many the search found, at least n.

    Returns:
        (n,) whose sum is at most 1.

    Raises:
        FormatError: For a calibration of another kind.
    """
    missing = [name for name in PARAMETERS if name not in calibration]
    if missing:
        raise FormatError(f"calibration without {', '.join(missing)}", advice="train or calibrate the model anew")
    logits = calibration["scale"] * np.asarray(scores, np.float64)
    weights = np.exp(logits - logits.max(initial=-np.inf))
    if not len(weights):
        return weights
    # sorted, so that the order of the candidates does not show in the last digits of the sum
    share = weights / np.sort(weights).sum()
    none = calibration["none"] + calibration["none_log_candidates"] * np.log(max(n_candidates, len(weights)))
    none += calibration["none_log_top"] * np.log(share.max())
    return share * np.exp(-np.logaddexp(0, none))
