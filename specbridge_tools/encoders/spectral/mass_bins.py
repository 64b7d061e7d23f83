"""A spectral encoder that memorises fragments and neutral losses: sums of learned vectors of mass bins."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.encoders.spectral.batches import encode_features
from specbridge_tools.encoders.spectral.conditions import energy_scalars
from specbridge_tools.encoders.spectral.features import N_ADDUCTS, SpectrumFeatures, spectrum_features
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.weights.plain_values import config_of

HIGHEST_MZ = 1100.0
_SUMS = 2  # of fragments, and as many of losses
_SCALARS = 4  # of a peak, from which its weights are learned


@dataclasses.dataclass(frozen=True)
class MassBinsConfig:
    """Sizes of one encoder.

    Attributes:
        n_peaks: How many of the highest peaks it reads.
        bin_width: Da.
        width: Of a bin's vector.
        n_fragments: Bins of m/z that have a vector; chosen by `learn_vocabulary`, at most `most_bins`.
        n_losses: Bins of neutral losses, likewise.
        most_bins: Of each kind.
        least_spectra: In which a bin has to occur.
    """

    n_peaks: int = 64
    bin_width: float = 0.01
    width: int = 256
    n_fragments: int = 0
    n_losses: int = 0
    most_bins: int = 24_000
    least_spectra: int = 3

    @property
    def n_bins(self) -> int:
        """How many bins there are up to `HIGHEST_MZ`."""
        return round(HIGHEST_MZ / self.bin_width)


class BinTable(nn.Module):
    """Vectors of the mass bins that are in use; a mass between two bin centres is given a share of both."""

    row: torch.Tensor

    def __init__(self, config: MassBinsConfig, n_used: int) -> None:
        super().__init__()
        self.bin_width, self.last = config.bin_width, config.n_bins - 1
        # row of each bin's vector; 0 is the vector of all bins without one, and stays zero
        self.register_buffer("row", torch.zeros(config.n_bins + 1, dtype=torch.int32))
        self.vectors = nn.Embedding(n_used + 1, config.width, padding_idx=0)
        nn.init.normal_(self.vectors.weight, std=0.1)
        with torch.no_grad():
            self.vectors.weight[0] = 0

    def forward(self, masses: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Masses (b, p) float64, weights (b, p, s) -> (b, s * width), weighted sums."""
        position = masses / self.bin_width
        low = position.floor().long().clamp(0, self.last)
        share = (position - low).clamp(0, 1).float()
        rows = torch.cat([self.row[low], self.row[low + 1]], dim=1).long()  # (b, 2p)
        both = torch.cat([weights * (1 - share[..., None]), weights * share[..., None]], dim=1)  # (b, 2p, s)
        sums = [
            functional.embedding_bag(
                rows, self.vectors.weight, per_sample_weights=weight.contiguous(), mode="sum", padding_idx=0
            )
            for weight in both.unbind(-1)
        ]
        return torch.cat(sums, dim=1)


class PrecursorEmbedding(nn.Module):
    """Adduct, collision energy and precursor m/z -> a vector; adduct and energy may be missing.

    The m/z is read through waves longer than 0.3 only: its last digits, which give the formula away where they are
    theoretical, stay unseen.
    """

    wavelengths: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("wavelengths", torch.logspace(math.log10(0.3), math.log10(2000), 48, dtype=torch.float64))
        self.adduct = nn.Embedding(N_ADDUCTS, width)
        self.scalars = nn.Sequential(nn.Linear(3 + 96, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, adduct: torch.Tensor, energy_ev: torch.Tensor, precursor_mz: torch.Tensor) -> torch.Tensor:
        """(b,) each: adduct int64, energy float32 in eV with NaN, precursor m/z float64 -> (b, w)."""
        scalars = energy_scalars(energy_ev, precursor_mz)
        phase = 2 * math.pi * precursor_mz[:, None] / self.wavelengths
        return self.adduct(adduct) + self.scalars(torch.cat([scalars, phase.sin().float(), phase.cos().float()], -1))


class MassBinsEncoder(nn.Module):
    """Two weighted sums of fragment vectors, two of neutral-loss vectors, and the precursor: (b, 5 * width).

    The weight of a peak is learned from its intensity, its m/z relative to the precursor and the number of peaks.
    """

    fixed_width = False

    def __init__(self, config: MassBinsConfig | None = None) -> None:
        super().__init__()
        self.config = config or MassBinsConfig()
        width = self.config.width
        self.n_peaks = self.config.n_peaks
        self.dimension = (2 * _SUMS + 1) * width
        self.fragments = BinTable(self.config, self.config.n_fragments)
        self.losses = BinTable(self.config, self.config.n_losses)
        self.weight = nn.Sequential(nn.Linear(_SCALARS, 32), nn.GELU(), nn.Linear(32, 2 * _SUMS))
        self.precursor = PrecursorEmbedding(width)
        self.norm = nn.LayerNorm(2 * _SUMS * width)

    @classmethod
    def from_argument(cls, argument: str) -> MassBinsEncoder:
        """Options: any field of `MassBinsConfig`."""
        return cls(MassBinsConfig(**parse_options(argument, dataclasses.asdict(MassBinsConfig()))))

    def describe(self) -> dict[str, Any]:
        """Registry name and plain values that rebuild the encoder without its weights."""
        return {"name": "massbins", **dataclasses.asdict(self.config)}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> MassBinsEncoder:
        values = {key: value for key, value in description.items() if key != "name"}
        return cls(config_of(MassBinsConfig, values, "massbins"))

    def row_tables(self) -> dict[str, int]:
        return {"fragments.row": self.config.n_fragments + 1, "losses.row": self.config.n_losses + 1}

    def learn_vocabulary(self, features: SpectrumFeatures) -> None:
        """Choose the bins that have vectors: the most frequent ones of these spectra. The vectors start afresh."""
        peaks = features.peaks
        real = peaks.mz > 0
        chosen = [
            self._frequent(masses[real & (masses >= 0)])
            for masses in (peaks.mz, peaks.precursor_mz[:, None] - peaks.mz)
        ]
        self.config = dataclasses.replace(self.config, n_fragments=len(chosen[0]), n_losses=len(chosen[1]))
        self.fragments, self.losses = (BinTable(self.config, len(bins)) for bins in chosen)
        for table, bins in zip((self.fragments, self.losses), chosen, strict=True):
            table.row[torch.from_numpy(bins)] = torch.arange(1, len(bins) + 1, dtype=torch.int32)

    def _frequent(self, masses: NDArray[np.float64]) -> NDArray[np.int64]:
        """Numbers of the bins of at least `least_spectra` masses, ascending."""
        bins = np.rint(masses / self.config.bin_width).astype(np.int64)
        counts = np.bincount(bins[bins < self.config.n_bins], minlength=self.config.n_bins)
        order = np.argsort(-counts, kind="stable")[: self.config.most_bins]
        return np.sort(order[counts[order] >= self.config.least_spectra])

    def freeze_below(self, n_blocks: int) -> None:
        """There are no blocks: 0 freezes everything, any other number trains everything."""
        self.requires_grad_(n_blocks != 0)

    def encode(
        self, spectra: Sequence[Spectrum], *, batch_size: int = 32, bfloat16: bool = False
    ) -> NDArray[np.float32]:
        """Spectra -> (n, dimension)."""
        features = spectrum_features(spectra, n_peaks=self.n_peaks)
        return encode_features(self, features, self, dimension=self.dimension, batch_size=batch_size, bfloat16=bfloat16)

    def forward(self, features: SpectrumFeatures) -> torch.Tensor:
        """Features of b spectra -> (b, dimension) float32."""
        device = self.norm.weight.device
        peaks = features.peaks
        mz, intensity, precursor_mz, adduct, energy_ev = (
            torch.from_numpy(array).to(device)
            for array in (peaks.mz, peaks.intensity, peaks.precursor_mz, features.adduct, features.energy_ev)
        )
        weights = self._weights(mz, intensity, precursor_mz)  # (b, p, 4)
        losses = (precursor_mz[:, None] - mz).clamp(min=0)
        fragments, lost = weights.chunk(2, dim=-1)
        sums = torch.cat([self.fragments(mz, fragments), self.losses(losses, lost)], dim=1)
        return torch.cat([self.norm(sums), self.precursor(adduct, energy_ev, precursor_mz)], dim=1)

    def _weights(self, mz: torch.Tensor, intensity: torch.Tensor, precursor_mz: torch.Tensor) -> torch.Tensor:
        """(b, p, 4): of each peak in each sum, zero for padding, of unit norm over the peaks."""
        real = (mz > 0).float()
        of_number = (real.sum(dim=1, keepdim=True).clamp(min=1).log() / 4).expand_as(intensity)
        relative_mz = (mz / precursor_mz[:, None]).float()
        scalars = torch.stack([intensity.sqrt(), (intensity + 1e-4).log10() / 4 + 1, relative_mz, of_number], dim=-1)
        weights = functional.softplus(self.weight(scalars).float()) * real[..., None]
        return weights / weights.norm(dim=1, keepdim=True).clamp(min=1e-4)
