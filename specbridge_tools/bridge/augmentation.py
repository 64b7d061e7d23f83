"""Small changes of spectra in training, so that the model relies on no single peak."""

from __future__ import annotations

import dataclasses

import numpy as np

from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.spectra.batch import PeakBatch


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How much spectra are changed.

    Attributes:
        peak_dropout: Chance that a peak is left out.
        intensity_jitter: Standard deviation of the logarithm of the intensity.
        mz_jitter_ppm: Standard deviation of the m/z.
        condition_dropout: Chance that adduct and collision energy are hidden.
        precursor_jitter_ppm: Half the width of the even distribution by which the precursor m/z is shifted, so that an
            exact, theoretical one does not give away the formula.
    """

    peak_dropout: float = 0.2
    intensity_jitter: float = 0.3
    mz_jitter_ppm: float = 2.0
    condition_dropout: float = 0.2
    precursor_jitter_ppm: float = 10.0

    @property
    def is_none(self) -> bool:
        """Whether nothing is changed."""
        return not any(dataclasses.astuple(self))

    def apply(self, features: SpectrumFeatures, rng: np.random.Generator) -> SpectrumFeatures:
        """A changed copy; every spectrum keeps its highest peak."""
        peaks = features.peaks
        real = peaks.mz > 0
        keep = rng.random(real.shape) >= self.peak_dropout
        keep |= peaks.intensity >= 1.0
        real &= keep
        mz = peaks.mz * (1 + 1e-6 * self.mz_jitter_ppm * rng.standard_normal(real.shape))
        noise = np.exp(self.intensity_jitter * rng.standard_normal(real.shape))
        intensity = np.where(real, peaks.intensity * noise, 0).astype(np.float32)
        intensity /= intensity.max(axis=1, keepdims=True)
        hidden = rng.random(len(features)) < self.condition_dropout
        shift = 1 + 1e-6 * self.precursor_jitter_ppm * rng.uniform(-1, 1, len(features))
        return dataclasses.replace(
            features,
            peaks=PeakBatch(peaks.precursor_mz * shift, np.where(real, mz, 0.0), intensity),
            adduct=np.where(hidden, 0, features.adduct),
            energy_ev=np.where(hidden, np.float32(np.nan), features.energy_ev),
        )
