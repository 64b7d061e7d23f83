"""How a spectrum was made, as numbers for a network."""

from __future__ import annotations

import torch
from torch import nn

from specbridge_tools.encoders.spectral.features import N_ADDUCTS


def energy_scalars(energy_ev: torch.Tensor, precursor_mz: torch.Tensor) -> torch.Tensor:
    """Collision energies as three numbers each.

    Args:
        energy_ev: (b,) float32, eV, NaN where missing.
        precursor_mz: (b,), m/z.

    Returns:
        (b, 3) float32: whether the energy is known, ln(1 + eV) / 5, and ln(1 + 10 eV / m/z).
    """
    known = ~energy_ev.isnan()
    energy = torch.where(known, energy_ev, 0.0)
    per_mass = energy / precursor_mz.float() * 10  # the energy that one bond feels falls with the ion's size
    return torch.stack([known.float(), torch.log1p(energy) / 5, torch.log1p(per_mass)], dim=-1)


class ConditionEmbedding(nn.Module):
    """Adduct and collision energy -> a vector beside the precursor's; each may be missing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.adduct = nn.Embedding(N_ADDUCTS, width)
        self.energy = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width))
        nn.init.normal_(self.adduct.weight, std=0.02)

    def forward(self, adduct: torch.Tensor, energy_ev: torch.Tensor, precursor_mz: torch.Tensor) -> torch.Tensor:
        """(b,) each: adduct int64, energy float32 in eV with NaN, precursor m/z -> (b, w)."""
        return self.adduct(adduct) + self.energy(energy_scalars(energy_ev, precursor_mz))
