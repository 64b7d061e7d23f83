"""Spectra -> rectangular arrays of peaks."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class PeakBatch:
    """The highest peaks of n spectra, in m/z order, zero-padded to p.

    precursor_mz  (n,) float64, m/z
    mz            (n, p) float64, m/z, 0 where padded
    intensity     (n, p) float32, relative to the highest peak of its spectrum, 0 where padded
    """

    precursor_mz: np.ndarray
    mz: np.ndarray
    intensity: np.ndarray

    def __len__(self):
        return len(self.precursor_mz)

    def take(self, rows, *, width=None):
        """The batch of these rows, padded to `width`, by default to the longest of them."""
        mz, intensity = self.mz[rows], self.intensity[rows]
        if width is None:
            width = int((mz > 0).sum(axis=1).max(initial=1))
        missing = ((0, 0), (0, max(0, width - mz.shape[1])))
        return PeakBatch(self.precursor_mz[rows], *(np.pad(x, missing)[:, :width] for x in (mz, intensity)))


def highest_peaks(spectrum, n_peaks):
    """(m/z, relative intensity) of the `n_peaks` highest peaks in m/z order; of equal ones the first are kept."""
    mz, intensity = spectrum.mz, spectrum.intensity
    if len(mz) > n_peaks:
        keep = np.sort(np.argsort(-intensity, kind="stable")[:n_peaks])
        mz, intensity = mz[keep], intensity[keep]
    return mz, intensity / intensity.max()


def batch_peaks(spectra, n_peaks, *, pad_to=None):
    """`PeakBatch` of spectra, padded to `pad_to`, by default to the longest of them."""
    rows = [highest_peaks(spectrum, n_peaks) for spectrum in spectra]
    width = pad_to or max((len(mz) for mz, _ in rows), default=1)
    mz = np.zeros((len(rows), width))
    intensity = np.zeros((len(rows), width), np.float32)
    for i, (peak_mz, peak_intensity) in enumerate(rows):
        mz[i, : len(peak_mz)] = peak_mz
        intensity[i, : len(peak_mz)] = peak_intensity
    return PeakBatch(np.array([spectrum.precursor_mz for spectrum in spectra]), mz, intensity)
