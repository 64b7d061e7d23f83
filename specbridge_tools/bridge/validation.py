"""Validation in training: the rank of the truth among candidates of the same mass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.bridge.model import AlignedModel
from specbridge_tools.bridge.pairs import Pairs
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts

METRICS = (*(f"recall@{k}" for k in RECALL_CUTOFFS), "mrr")


@torch.inference_mode()
def score_lists(model: AlignedModel, pairs: Pairs) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield, for each molecule, its spectra (k,) and their scores (k, 1 + decoys), the truth in column 0."""
    embedding = model.encode_features(pairs.features)
    order = np.argsort(pairs.molecule, kind="stable")
    molecules, starts = np.unique(pairs.molecule[order], return_index=True)
    for molecule, members in zip(molecules, np.split(order, starts[1:]), strict=True):
        rows = np.concatenate([[molecule], pairs.decoys[int(molecule)]])
        placed = model.encode_molecules(pairs.library.vectors[rows])
        yield members, embedding[members] @ placed.T


def rank_among_candidates(model: AlignedModel, pairs: Pairs) -> dict[str, float]:
    """The `METRICS` over the spectra of `pairs`, averaged within each molecule first.

    A truth that is tied with decoys takes its expected rank.
    """
    per_molecule = [
        np.mean([expected_metrics(row) for row in scores], axis=0) for _, scores in score_lists(model, pairs)
    ]
    return dict(zip(METRICS, np.mean(per_molecule, axis=0).tolist(), strict=True))


def expected_metrics(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Scores (n,) with the truth first -> the `METRICS`, expected over ties."""
    above, tied = tie_counts(scores, 0)
    reciprocal_rank = np.mean(1 / (above + 1 + np.arange(tied)))
    return np.array([*expected_recall(above, tied, RECALL_CUTOFFS), reciprocal_rank])
