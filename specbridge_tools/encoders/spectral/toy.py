"""A spectral encoder without weights: exact, quick, and meaningless, for tests and for trying out pipes."""

import numpy as np
import torch
from torch import nn

from specbridge_tools.encoders.molecular.toy import hashed_counts
from specbridge_tools.encoders.registry import parse_options


class ToySpectrumEncoder(nn.Module):
    """Hashed peaks, m/z rounded to 0.1, weighted by the square root of the relative intensity; nothing to train."""

    n_peaks = 1000
    fixed_width = False

    def __init__(self, *, dimension=32):
        super().__init__()
        self.dimension = dimension

    @classmethod
    def from_argument(cls, argument):
        return cls(**parse_options(argument, {"dimension": 32}))

    def describe(self):
        """Registry name and plain values that rebuild the encoder."""
        return {"name": "toy", "dimension": self.dimension}

    @classmethod
    def from_description(cls, description):
        return cls(dimension=description["dimension"])

    def freeze_below(self, n_blocks):
        """There is nothing to freeze."""

    def forward(self, features):
        """`SpectrumFeatures` of b spectra -> (b, dimension) float32."""
        peaks = features.peaks
        rows = [self._row(*row) for row in zip(peaks.precursor_mz, peaks.mz, peaks.intensity, strict=True)]
        return torch.from_numpy(np.stack(rows))

    def _row(self, precursor_mz, mz, intensity):
        items = [(f"{x:.1f}", float(np.sqrt(y))) for x, y in zip(mz, intensity, strict=True) if x > 0]
        return hashed_counts([*items, (f"precursor {precursor_mz:.1f}", 1.0)], self.dimension)
