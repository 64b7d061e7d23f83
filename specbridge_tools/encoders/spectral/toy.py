"""A spectral encoder without weights: exact, quick, and meaningless, for tests and for trying out pipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from specbridge_tools.encoders.molecular.toy import hashed_counts
from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.provenance import sha256_values
from specbridge_tools.weights.plain_values import value_of

_WIDEST = 1 << 16


class ToySpectrumEncoder(nn.Module):
    """Hashed peaks, m/z rounded to 0.1, weighted by the square root of the relative intensity; nothing to train."""

    n_peaks = 1000
    fixed_width = False

    def __init__(self, *, dimension: int = 32) -> None:
        super().__init__()
        self.dimension = dimension

    @classmethod
    def from_argument(cls, argument: str) -> ToySpectrumEncoder:
        return cls(**parse_options(argument, {"dimension": 32}))

    def describe(self) -> dict[str, Any]:
        """Registry name and plain values that rebuild the encoder."""
        return {"name": "toy", "dimension": self.dimension}

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> ToySpectrumEncoder:
        return cls(dimension=value_of(description, "dimension", int, "toy", most=_WIDEST))

    @property
    def name(self) -> str:
        """As files spell it."""
        return f"toy:dimension={self.dimension}"

    @property
    def weights_sha256(self) -> str:
        """Hash of the options."""
        return sha256_values(self.describe())

    def freeze_below(self, n_blocks: int) -> None:
        """There is nothing to freeze."""

    def forward(self, features: SpectrumFeatures) -> torch.Tensor:
        """Features of b spectra -> (b, dimension) float32."""
        peaks = features.peaks
        rows = [self._row(*row) for row in zip(peaks.precursor_mz, peaks.mz, peaks.intensity, strict=True)]
        return torch.from_numpy(np.stack(rows))

    def _row(self, precursor_mz: float, mz: NDArray[np.float64], intensity: NDArray[np.float32]) -> NDArray[np.float32]:
        peaks = [(f"{x:.1f}", float(np.sqrt(y))) for x, y in zip(mz, intensity, strict=True) if x > 0]
        return hashed_counts([*peaks, (f"precursor {precursor_mz:.1f}", 1.0)], self.dimension)
