"""The network that ranks, in numpy: the columns of a candidate -> its score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = Mapping[str, Floats]
LIMIT = 5.0  # standard deviations: what lies further out counts as this


def network_score(weights: Weights, columns: Floats) -> Floats:
    """Score n candidates, in natural logarithms: the softmax over a list is what the training makes likely.

    score = linear x + W3 relu(W2 relu(W1 x + b1) + b2), with x = clip((columns - centre) / spread, -5, 5).

    Args:
        weights: centre, spread, linear (k,); hidden1.weight (h, k), hidden1.bias (h,); hidden2.weight (h, h),
            hidden2.bias (h,); out.weight (h,).
        columns: (n, k).

    Returns:
        (n,).
    """
    scaled = np.clip((columns - weights["centre"]) / weights["spread"], -LIMIT, LIMIT)
    hidden = np.maximum(scaled @ weights["hidden1.weight"].T + weights["hidden1.bias"], 0)
    hidden = np.maximum(hidden @ weights["hidden2.weight"].T + weights["hidden2.bias"], 0)
    score: Floats = scaled @ weights["linear"] + hidden @ weights["out.weight"]
    return score


def expected_shapes(n_columns: int, width: int) -> dict[str, tuple[int, ...]]:
    """{name: shape} of the weights."""
    return {
        **dict.fromkeys(("centre", "spread", "linear"), (n_columns,)),
        "hidden1.weight": (width, n_columns),
        "hidden1.bias": (width,),
        "hidden2.weight": (width, width),
        "hidden2.bias": (width,),
        "out.weight": (width,),
    }
