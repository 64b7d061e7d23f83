"""The peaks of a spectrum as the ranker sees them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.peaks.ions import IonKind, ion_kind
from specbridge_tools.spectra.energy import collision_energy_ev
from specbridge_tools.spectra.spectrum import Spectrum

MOST_PEAKS = 60
N_PEAK_FEATURES = 6
N_CONTEXT = 11
ENERGY, NO_ENERGY = 5, 6  # columns of the context
PRECURSOR_COLUMN, PRECURSOR_SCALE = 7, 500
RELATIVE_INTENSITY = slice(2, 4)  # columns of the features
_ABOVE_PRECURSOR = 2.5  # Da: isotopes of the precursor are kept, noise above is not
_PRECURSOR_PPM = 25.0
_HIGHEST_ENERGY = 150.0


@dataclasses.dataclass(frozen=True, eq=False)
class Peaks:
    """The most intense peaks of one spectrum, p of them, and what is known of how they were made.

    Attributes:
        spectrum_id: Of the spectrum.
        mz: (p,) ascending.
        intensity: (p,) > 0.
        at_precursor: (p,) whether a peak is of the precursor itself, which every candidate explains alike.
        weight: (p,) square root of the share of the intensity.
        features: (p, N_PEAK_FEATURES) m/z / 500, m/z / precursor m/z, square root of the intensity relative to the
            highest, its decimal logarithm / 4 + 1, at_precursor, ln p / 4.
        context: (N_CONTEXT,) positive, negative, [M]+, metal adduct, [M+H]+ or [M-H]-, collision energy / 50 eV, energy
            not known, precursor m/z / 500, share of the precursor's intensity, mean m/z / precursor m/z, ln p / 4.
        kind: How fragments carry their charge.
    """

    spectrum_id: str
    mz: NDArray[np.float64]
    intensity: NDArray[np.float64]
    at_precursor: NDArray[np.bool_]
    weight: NDArray[np.float32]
    features: NDArray[np.float32]
    context: NDArray[np.float32]
    kind: IonKind


def prepare_peaks(spectrum: Spectrum, adduct: str | None = None) -> Peaks:
    """Select and describe the peaks of a spectrum; there may be none.

    The precursor m/z enters through scaled features only, never as a mass error.

    Args:
        spectrum: Of which the first adduct counts unless another is named.
        adduct: Its name.
    """
    kind = ion_kind(spectrum, adduct)
    precursor_mz = spectrum.precursor_mz
    heaviest = precursor_mz * max(1, abs(spectrum.charge)) + _ABOVE_PRECURSOR
    rows = np.flatnonzero((spectrum.mz < heaviest) & (spectrum.intensity > 0))
    if len(rows) > MOST_PEAKS:
        rows = np.sort(rows[np.argsort(-spectrum.intensity[rows], kind="stable")[:MOST_PEAKS]])
    mz, intensity = spectrum.mz[rows].astype(np.float64), spectrum.intensity[rows].astype(np.float64)
    at_precursor = np.abs(mz - precursor_mz) < _PRECURSOR_PPM * 1e-6 * precursor_mz
    share = intensity / max(intensity.sum(), 1e-300)
    return Peaks(
        spectrum.id,
        mz,
        intensity,
        at_precursor,
        np.sqrt(share).astype(np.float32),
        _peak_features(mz, intensity, at_precursor, precursor_mz),
        _context(spectrum, kind, mz, share, at_precursor),
        kind,
    )


def _peak_features(
    mz: NDArray[np.float64], intensity: NDArray[np.float64], at_precursor: NDArray[np.bool_], precursor_mz: float
) -> NDArray[np.float32]:
    relative = intensity / max(intensity.max(initial=0.0), 1e-300)
    log_number = np.full(len(mz), math.log(max(1, len(mz))) / 4)
    root, logarithm = relative_intensity_features(relative).T
    columns = (mz / 500, mz / precursor_mz, root, logarithm, at_precursor, log_number)
    return np.stack(columns, axis=1).astype(np.float32)


def relative_intensity_features(relative: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the two columns (p, 2) of the features from the intensities (p,) relative to the highest."""
    return np.stack([np.sqrt(relative), np.log10(relative + 1e-4) / 4 + 1], axis=1)


def _context(
    spectrum: Spectrum,
    kind: IonKind,
    mz: NDArray[np.float64],
    share: NDArray[np.float64],
    at_precursor: NDArray[np.bool_],
) -> NDArray[np.float32]:
    energy = collision_energy_ev(spectrum)
    values = (
        kind.polarity > 0,
        kind.polarity < 0,
        kind.adduct == "[M]+",
        kind.metal_mass > 0,
        kind.adduct in ("[M+H]+", "[M-H]-"),
        0 if energy is None else min(energy, _HIGHEST_ENERGY) / 50,
        energy is None,
        spectrum.precursor_mz / PRECURSOR_SCALE,
        share[at_precursor].sum(),
        (share * mz).sum() / spectrum.precursor_mz,
        math.log(max(1, len(mz))) / 4,
    )
    return np.array(values, np.float32)
