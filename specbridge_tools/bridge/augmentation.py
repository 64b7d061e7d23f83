"""Small changes of spectra in training, so that no peak is leaned on alone."""

import dataclasses

import numpy as np

from specbridge_tools.spectra.batch import PeakBatch


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """peak_dropout: chance that a peak goes; intensity_jitter: standard deviation of log intensity; mz_jitter_ppm:
    standard deviation of m/z; condition_dropout: chance that adduct and energy are hidden; precursor_jitter_ppm: by how
    much the precursor m/z is moved at most, evenly, so that an exact one, which is theoretical, teaches no formula."""

    peak_dropout: float = 0.2
    intensity_jitter: float = 0.3
    mz_jitter_ppm: float = 2.0
    condition_dropout: float = 0.2
    precursor_jitter_ppm: float = 10.0

    @property
    def is_none(self):
        """Whether nothing is changed."""
        return not any(dataclasses.astuple(self))

    def apply(self, features, rng):
        """A changed copy of `SpectrumFeatures`; every spectrum keeps its highest peak."""
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
        moved = 1 + 1e-6 * self.precursor_jitter_ppm * rng.uniform(-1, 1, len(features))
        return dataclasses.replace(
            features,
            peaks=PeakBatch(peaks.precursor_mz * moved, np.where(real, mz, 0.0), intensity),
            adduct=np.where(hidden, 0, features.adduct),
            energy_ev=np.where(hidden, np.float32(np.nan), features.energy_ev),
        )
