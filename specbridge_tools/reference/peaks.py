"""Peak lists as they are compared with references: cleaned, in whole numbers, so that each comparison is exact.

m/z are whole numbers of 0.1 mDa. No two peaks of a spectrum are nearer than twice the tolerance of a match, so that a
peak matches one of another spectrum at most, whatever the order of the comparison.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.spectra.spectrum import Spectrum

UNITS = 10_000
"""Of m/z, per Da."""
TOLERANCE = 100
"""Units by which peaks that match differ at most: 0.01 Da."""
HIGHEST = 65_535
"""Intensity of the highest peak."""
PRECURSOR_WINDOW = 16_000
"""Units below the precursor in which a peak is no fragment: 1.6 Da, as in Flash Entropy Search."""
MOST_PEAKS = 500
MOST_UNITS = (1 << 30) - 1
_LEAST_INTENSITY = 0.01  # of the highest peak
_ABOVE_PRECURSOR = 2.5  # Da: isotopes of the precursor are kept, noise above is not


@dataclasses.dataclass(frozen=True, eq=False)
class CleanSpectrum:
    """What is compared of a spectrum.

    Attributes:
        precursor: m/z in units.
        polarity: +1, -1, or 0 where unknown.
        charge: Signed, 0 where unknown.
        mz: (p,) int32 units, ascending, more than 2 `TOLERANCE` apart; p may be 0.
        intensity: (p,) uint16, 1 to `HIGHEST`.
    """

    precursor: int
    polarity: int
    charge: int
    mz: NDArray[np.int32]
    intensity: NDArray[np.uint16]


def clean(spectrum: Spectrum) -> CleanSpectrum:
    """Keep what is compared of a spectrum.

    Peaks above the precursor and those below 1 % of the highest are dropped. Of peaks nearer than twice the tolerance
    the highest one stays, of equal ones the first; of more than `MOST_PEAKS` the highest ones.
    """
    heaviest = min(spectrum.precursor_mz * max(1, spectrum.charge_size) + _ABOVE_PRECURSOR, MOST_UNITS / UNITS)
    rows = np.flatnonzero(spectrum.mz <= heaviest)
    mz, intensity = spectrum.mz[rows], spectrum.intensity[rows].astype(np.float64)
    rows = np.flatnonzero(intensity >= _LEAST_INTENSITY * intensity.max(initial=0.0))
    units, intensity = np.rint(mz[rows] * UNITS).astype(np.int32), intensity[rows]
    kept = _apart(units, intensity)
    units, intensity = units[kept], intensity[kept]
    relative = np.rint(intensity * (HIGHEST / intensity.max(initial=0.0))) if len(kept) else intensity
    return CleanSpectrum(
        int(min(np.rint(spectrum.precursor_mz * UNITS), MOST_UNITS)),
        spectrum.polarity or int(np.sign(spectrum.charge)),
        spectrum.charge,
        units,
        np.maximum(relative, 1).astype(np.uint16),
    )


def _apart(units: NDArray[np.int32], intensity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of the peaks that stay, ascending."""
    order = np.argsort(-intensity, kind="stable")
    if len(units) <= MOST_PEAKS and (len(units) < 2 or np.diff(units).min() > 2 * TOLERANCE):
        return np.arange(len(units))
    free, kept = np.ones(len(units), bool), []
    for row in order.tolist():
        if not free[row]:
            continue
        kept.append(row)
        low, high = np.searchsorted(units, [units[row] - 2 * TOLERANCE, units[row] + 2 * TOLERANCE + 1])
        free[low:high] = False
        if len(kept) == MOST_PEAKS:
            break
    return np.sort(np.array(kept, np.int64))
