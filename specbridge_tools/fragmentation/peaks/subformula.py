"""Whether any part of a molecular formula weighs what a peak weighs."""

import functools

import numpy as np

from specbridge_tools.constants import ATOM_MASS, ELECTRON_MASS, HYDROGEN_MASS
from specbridge_tools.fragmentation.fragments.atom_features import ELEMENTS
from specbridge_tools.fragmentation.peaks.match import tolerances

# how many atoms of one element, other than carbon and hydrogen, a fragment is tried with
_MOST_OF_ONE = 12
_MOST_COMBINATIONS = 20_000
_VALENCE = {"N": 1, "P": 1, "F": -1, "Cl": -1, "Br": -1, "I": -1}


def explained_peaks(formulas, peaks):
    """(c, p) bool: whether an ion of a part of the formula explains the peak.

    formulas (c, N_ELEMENTS + 1) int: atoms of each of `features.ELEMENTS`, of other elements (ignored), and hydrogens;
    peaks: `Peaks`. Hydrogens: at most one more than the formula has, and no more than the valences hold, with 3 to
    spare. Equal formulas are worked out once. Precursor peaks count as explained.
    """
    distinct, inverse = np.unique(np.asarray(formulas, np.int64), axis=0, return_inverse=True)
    neutral = peaks.mz + peaks.kind.polarity * ELECTRON_MASS
    width = tolerances(peaks.mz)
    rows = [
        _explained(tuple(counts[1 : len(ELEMENTS)].tolist()), int(counts[0]), int(counts[-1]), neutral, width)
        for counts in distinct
    ]
    explained = np.stack(rows)[inverse.ravel()] if rows else np.zeros((0, len(neutral)), bool)
    return explained | peaks.at_precursor


def _explained(others, carbons, hydrogens, neutral, width):
    """(p,) bool for one formula.

    What is left of a peak's mass after the other elements is 12 c + 1.00783 h; its distance to the whole number below
    gives h to within one, and the whole number less h must be a multiple of 12.
    """
    masses, valence = _combinations(others)
    rest = neutral[:, None] - masses
    whole = np.floor(rest + width[:, None])
    near = np.rint((rest - whole) / (HYDROGEN_MASS - 1))
    explained = np.zeros(len(neutral), bool)
    for step in (-1, 0, 1):
        h = near + step
        c = np.floor((whole - h) / 12)
        fits = np.abs(12 * c + HYDROGEN_MASS * h - rest) <= width[:, None]
        fits &= (h >= 0) & (h <= hydrogens + 1) & (c >= 0) & (c <= carbons) & (h <= 2 * c + valence + 3)
        explained |= fits.any(axis=1)
    return explained


@functools.lru_cache(maxsize=4096)
def _combinations(counts):
    """Masses (g,) and valences (g,) of all combinations of up to `counts` atoms of ELEMENTS other than carbon."""
    masses, valence = np.zeros(1), np.zeros(1)
    for symbol, count in zip(ELEMENTS[1:], counts, strict=True):
        number = np.arange(min(count, _MOST_OF_ONE) + 1)
        if len(masses) * len(number) > _MOST_COMBINATIONS:
            break
        masses = (masses[:, None] + number * ATOM_MASS[symbol]).ravel()
        valence = (valence[:, None] + number * _VALENCE.get(symbol, 0)).ravel()
    return masses, valence
