"""Spectra -> rectangular arrays of peaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.spectra.spectrum import Spectrum


@dataclasses.dataclass(frozen=True)
class PeakBatch:
    """The highest peaks of n spectra, in m/z order, zero-padded to p.

    Attributes:
        precursor_mz: (n,), m/z.
        mz: (n, p), m/z, 0 where padded.
        intensity: (n, p), relative to the highest peak of its spectrum, 0 where padded.
    """

    precursor_mz: NDArray[np.float64]
    mz: NDArray[np.float64]
    intensity: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.precursor_mz)

    def take(
        self, rows: slice | Sequence[int] | NDArray[np.int64] | NDArray[np.bool_], *, width: int | None = None
    ) -> PeakBatch:
        """The batch of these rows, padded to `width`, by default to the longest of them."""
        mz, intensity = self.mz[rows], self.intensity[rows]
        if width is None:
            width = int((mz > 0).sum(axis=1).max(initial=1))
        missing = ((0, 0), (0, max(0, width - mz.shape[1])))
        return PeakBatch(self.precursor_mz[rows], np.pad(mz, missing)[:, :width], np.pad(intensity, missing)[:, :width])


def highest_peaks(spectrum: Spectrum, n_peaks: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """(m/z, relative intensity) of the `n_peaks` highest peaks in m/z order.

    Of peaks of equal intensity at the cut those of the lower m/z are kept, whatever the version of numpy.
    """
    mz, intensity = spectrum.mz, spectrum.intensity
    if len(mz) > n_peaks:
        keep = np.sort(np.argsort(-intensity, kind="stable")[:n_peaks])
        mz, intensity = mz[keep], intensity[keep]
    return mz, intensity / intensity.max()


def batch_peaks(spectra: Sequence[Spectrum], n_peaks: int, *, pad_to: int | None = None) -> PeakBatch:
    """The `n_peaks` highest peaks of each spectrum, padded to `pad_to`, by default to the longest list."""
    rows = [highest_peaks(spectrum, n_peaks) for spectrum in spectra]
    width = pad_to or max((len(mz) for mz, _ in rows), default=1)
    mz = np.zeros((len(rows), width))
    intensity = np.zeros((len(rows), width), np.float32)
    for row, (peak_mz, peak_intensity) in enumerate(rows):
        mz[row, : len(peak_mz)] = peak_mz
        intensity[row, : len(peak_mz)] = peak_intensity
    return PeakBatch(np.array([spectrum.precursor_mz for spectrum in spectra]), mz, intensity)
