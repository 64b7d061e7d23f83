"""The peaks of a spectrum as the ranker sees them."""

import dataclasses
import math

import numpy as np

from specbridge_tools.fragmentation.peaks.ions import IonKind, ion_kind
from specbridge_tools.spectra.energy import collision_energy_ev

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

    spectrum_id  of the spectrum
    mz           (p,) float64, ascending
    intensity    (p,) float64, > 0
    at_precursor (p,) bool: peaks of the precursor itself, which every candidate explains alike
    weight       (p,) float32: square root of the share of the intensity
    features     (p, N_PEAK_FEATURES) float32: m/z / 500, m/z / precursor m/z, square root of intensity relative to the
                 highest, its decimal logarithm / 4 + 1, at_precursor, ln p / 4
    context      (N_CONTEXT,) float32: positive, negative, [M]+, metal adduct, [M+H]+ or [M-H]-, collision energy
                 / 50 eV, energy not known, precursor m/z / 500, share of the precursor's intensity, mean m/z
                 / precursor m/z, ln p / 4
    """

    spectrum_id: str
    mz: np.ndarray
    intensity: np.ndarray
    at_precursor: np.ndarray
    weight: np.ndarray
    features: np.ndarray
    context: np.ndarray
    kind: IonKind


def prepare_peaks(spectrum, adduct=None):
    """`Spectrum` -> `Peaks`; they may be none. The adduct is the one named, else the spectrum's own first hypothesis.

    The precursor m/z enters through rounded features only, never as a mass error.
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


def _peak_features(mz, intensity, at_precursor, precursor_mz):
    relative = intensity / max(intensity.max(initial=0.0), 1e-300)
    of_number = np.full(len(mz), math.log(max(1, len(mz))) / 4)
    first, second = relative_intensity_features(relative).T
    columns = (mz / 500, mz / precursor_mz, first, second, at_precursor, of_number)
    return np.stack(columns, axis=1).astype(np.float32)


def relative_intensity_features(relative):
    """(p,) intensities relative to the highest -> their two columns (p, 2) of the features."""
    return np.stack([np.sqrt(relative), np.log10(relative + 1e-4) / 4 + 1], axis=1)


def _context(spectrum, kind, mz, share, at_precursor):
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
