"""Whether any part of a molecular formula weighs what a peak weighs."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specbridge_tools.compiled import compiled
from specbridge_tools.constants import ATOM_MASS, ELECTRON_MASS, HYDROGEN_MASS
from specbridge_tools.fragmentation.fragments.sizes import ELEMENTS
from specbridge_tools.fragmentation.peaks.match import tolerances
from specbridge_tools.fragmentation.peaks.prepare import Peaks

# atoms of one element, other than carbon and hydrogen, that a fragment is tried with
_MOST_OF_AN_ELEMENT = 12
_MOST_COMBINATIONS = 20_000
_VALENCE = {"N": 1, "P": 1, "F": -1, "Cl": -1, "Br": -1, "I": -1}


def explained_peaks(formulas: ArrayLike, peaks: Peaks) -> NDArray[np.bool_]:
    """Find which peaks an ion of a part of a formula explains.

    An ion has at most one hydrogen more than the formula, and no more than 3 beyond what the valences hold. Precursor
    peaks count as explained.

    Args:
        formulas: (c, N_ELEMENTS + 1) int: atoms of each of `atom_features.ELEMENTS`, of other elements (ignored), and
            hydrogens.
        peaks: p of them.

    Returns:
        (c, p), whether the peak is explained.
    """
    distinct, inverse = np.unique(np.asarray(formulas, np.int64), axis=0, return_inverse=True)
    neutral = peaks.mz + peaks.kind.polarity * ELECTRON_MASS
    width = tolerances(peaks.mz)
    rows = [
        _explained(tuple(counts[1 : len(ELEMENTS)].tolist()), int(counts[0]), int(counts[-1]), neutral, width)
        for counts in distinct
    ]
    explained: NDArray[np.bool_] = np.stack(rows)[inverse.ravel()] if rows else np.zeros((0, len(neutral)), bool)
    return explained | peaks.at_precursor


def _explained(
    others: tuple[int, ...], carbons: int, hydrogens: int, neutral: NDArray[np.float64], width: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which peaks (p,) one formula explains.

    What is left of a peak's mass without the other elements is 12 c + 1.00783 h. Its distance to the whole number below
    determines h to within one, and the whole number less h must be a multiple of 12: at most one h is possible.
    """
    masses, valence = _combinations(others)
    return _any_combination(neutral, width, masses, valence, carbons, hydrogens)


@compiled
def _any_combination(
    neutral: NDArray[np.float64],
    width: NDArray[np.float64],
    masses: NDArray[np.float64],
    valence: NDArray[np.float64],
    carbons: int,
    hydrogens: int,
) -> NDArray[np.bool_]:
    explained = np.zeros(len(neutral), np.bool_)
    for peak in range(len(neutral)):
        for combination in range(len(masses)):
            rest = neutral[peak] - masses[combination]
            if rest + width[peak] < 0:
                continue
            whole = np.floor(rest + width[peak])
            near = np.rint((rest - whole) / (HYDROGEN_MASS - 1))
            c = (int(whole) - int(near) + 1) // 12
            h = int(whole) - 12 * c
            if (
                h <= near + 1
                and 0 <= h <= min(hydrogens + 1, 2 * c + valence[combination] + 3)
                and 0 <= c <= carbons
                and abs(12 * c + HYDROGEN_MASS * h - rest) <= width[peak]
            ):
                explained[peak] = True
                break
    return explained


@functools.lru_cache(maxsize=4096)
def _combinations(counts: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Masses (g,) and valences (g,) of all combinations of up to `counts` atoms of ELEMENTS other than carbon."""
    masses, valence = np.zeros(1), np.zeros(1)
    for symbol, count in zip(ELEMENTS[1:], counts, strict=True):
        number = np.arange(min(count, _MOST_OF_AN_ELEMENT) + 1)
        if len(masses) * len(number) > _MOST_COMBINATIONS:
            break
        masses = (masses[:, None] + number * ATOM_MASS[symbol]).ravel()
        valence = (valence[:, None] + number * _VALENCE.get(symbol, 0)).ravel()
    return masses, valence
