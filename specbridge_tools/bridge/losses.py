"""Losses between spectra and molecules, each weighted and added by `TrainingLoss`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from specbridge_tools.bridge.sampling import Batch


class CosineLoss(nn.Module):
    """1 - cos(spectrum, its molecule), mean over the batch."""

    def forward(self, batch: Batch) -> torch.Tensor:
        return 1 - (batch.spectra * batch.molecules).sum(-1).mean()


class MeanSquaredLoss(nn.Module):
    """Mean over the batch of |spectrum - molecule|^2 / dimension, both of unit norm; Wang et al., arXiv 2601.17204."""

    def forward(self, batch: Batch) -> torch.Tensor:
        return functional.mse_loss(batch.spectra, batch.molecules)


class InBatchLoss(nn.Module):
    """InfoNCE over the molecules of the batch, both ways; van den Oord et al., arXiv 1807.03748.

    A spectrum paired with the molecule of another spectrum is masked if both are of one molecule: it is no negative.
    """

    def forward(self, batch: Batch) -> torch.Tensor:
        logits = batch.scale * batch.spectra @ batch.molecules.T  # (b, b)
        same = batch.molecule_index[:, None] == batch.molecule_index[None]  # (b, b)
        twin = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
        logits = logits.masked_fill(twin, -torch.inf)
        target = torch.arange(len(logits), device=logits.device)
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2


class CandidateLoss(nn.Module):
    """InfoNCE of each spectrum over its molecule and decoys of the same mass: the task of ranking.

    The batch must have decoys.
    """

    def forward(self, batch: Batch) -> torch.Tensor:
        if batch.decoys is None or batch.decoy_mask is None:
            raise ValueError("the batch has no decoys")
        positive = (batch.spectra * batch.molecules).sum(-1, keepdim=True)  # (b, 1)
        negative = torch.einsum("bd,bnd->bn", batch.spectra, batch.decoys)  # (b, n)
        logits = batch.scale * torch.cat([positive, negative], dim=1)  # (b, 1 + n)
        # masked after scaling: before, the gradient of the scale would be 0 * inf
        logits = logits.masked_fill(functional.pad(~batch.decoy_mask, (1, 0)), -torch.inf)
        return functional.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=logits.device))


LOSSES: dict[str, type[nn.Module]] = {
    "candidate": CandidateLoss,
    "infonce": InBatchLoss,
    "cosine": CosineLoss,
    "mse": MeanSquaredLoss,
}


class TrainingLoss(nn.Module):
    """Weighted sum of losses by name, e.g. `{"candidate": 1.0, "infonce": 0.5}`."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.weights = dict(weights)
        self.parts = nn.ModuleDict({name: LOSSES[name]() for name in self.weights})

    @property
    def needs_decoys(self) -> bool:
        return "candidate" in self.weights

    def forward(self, batch: Batch) -> torch.Tensor:
        total = torch.zeros((), device=batch.spectra.device)
        for name, weight in self.weights.items():
            total = total + weight * self.parts[name](batch)
        return total
