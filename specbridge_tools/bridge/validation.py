"""Validation in training: where the truth stands among candidates of the same mass."""

import numpy as np
import torch

from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS as KS
from specbridge_tools.hits.expected_rank import expected_recall, tie_counts


@torch.inference_mode()
def score_lists(model, pairs):
    """For each molecule of `pairs`: its spectra (k,) int64 and their scores (k, 1 + decoys), the truth in column 0."""
    embedding = model.encode_features(pairs.features)
    order = np.argsort(pairs.molecule, kind="stable")
    molecules, starts = np.unique(pairs.molecule[order], return_index=True)
    for molecule, members in zip(molecules, np.split(order, starts[1:]), strict=True):
        rows = np.concatenate([[molecule], pairs.decoys[int(molecule)]])
        placed = model.encode_molecules(pairs.library.vectors[rows])
        yield members, embedding[members] @ placed.T


def rank_among_candidates(model, pairs):
    """`recall@1`, `recall@5`, `recall@20` and `mrr` over the spectra of `pairs`, averaged within each molecule first.

    A truth tied with others takes its expected place among them.
    """
    per_molecule = [
        np.mean([expected_metrics(row) for row in scores], axis=0) for _, scores in score_lists(model, pairs)
    ]
    *recalls, mrr = np.mean(per_molecule, axis=0).tolist()
    return {**{f"recall@{k}": recall for k, recall in zip(KS, recalls, strict=True)}, "mrr": mrr}


def expected_metrics(scores):
    """Scores (n,) with the truth first -> (recall at each of KS, reciprocal rank), expected over ties."""
    above, tied = tie_counts(scores, 0)
    return np.array([*expected_recall(above, tied, KS), np.mean(1 / (above + 1 + np.arange(tied)))])
