"""How a spectrum was made, as numbers for a network."""

import torch


def energy_scalars(energy_ev, precursor_mz):
    """energy_ev (b,) float32 with NaN where missing, precursor_mz (b,) -> (b, 3) float32: whether the energy is known,
    ln(1 + eV) / 5, and ln(1 + 10 eV / m/z)."""
    known = ~energy_ev.isnan()
    energy = torch.where(known, energy_ev, 0.0)
    per_mass = energy / precursor_mz.float() * 10  # the energy that one bond feels falls with the ion's size
    return torch.stack([known.float(), torch.log1p(energy) / 5, torch.log1p(per_mass)], dim=-1)
