"""From the scores of one list to probabilities: which candidate is right if one of them is, and whether one is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIGNS = ("log_candidates", "best_same_ion", "cosine", "explained_intensity", "analog_max")
"""Values of the best candidate that say whether it is likely to be right at all."""
LISTED = ("listed_scale", "listed_same_ion")
NONE = ("none", "none_log_top", *(f"none_{name}" for name in SIGNS))
PARAMETERS = (*LISTED, *NONE)
_SAME_ION = SIGNS.index("best_same_ion")


def signs_of(values: Mapping[str, Floats], score: Floats) -> Floats:
    """`SIGNS` (s,) of a list: those of the best of its n candidates; of several that tie the mean.

    Args:
        values: {name: (n,)} of `features.ListFeatures`.
        score: (n,).
    """
    if not len(score):
        return np.zeros(len(SIGNS))
    is_best = score == score.max()
    best: Floats = np.sort(np.stack([values[name][is_best] for name in SIGNS], axis=1), axis=0).mean(axis=0)
    return best


def shares(logits: Floats) -> Floats:
    """Softmax (n,); summed in the order of the values, so that the order of the candidates moves no digit."""
    weights = np.exp(logits - logits.max(initial=-np.inf))
    found: Floats = weights / np.sort(weights).sum() if len(weights) else weights
    return found


def listed_scale(signs: Floats, calibration: Mapping[str, float]) -> float:
    """By how much scores are multiplied: they are worth more or less where a spectrum of the same ion is alike."""
    return float(calibration["listed_scale"] * np.exp(calibration["listed_same_ion"] * signs[_SAME_ION]))


def probability_if_listed(score: Floats, signs: Floats, calibration: Mapping[str, float]) -> Floats:
    """Probability (n,) of each candidate, given that one of them is right; the sum is 1."""
    return shares(listed_scale(signs, calibration) * np.asarray(score, np.float64))


def none_probability(top: float, signs: Floats, calibration: Mapping[str, float]) -> float:
    """Probability that no candidate is right, by what the best one has: its probability if listed, and the signs."""
    logit = np.array([calibration[name] for name in NONE]) @ np.array([1.0, np.log(top), *signs])
    return float(np.exp(-np.logaddexp(0, -logit)))
