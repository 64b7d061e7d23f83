"""The isotope pattern of a formula at unit resolution.

Isotopologues of one nominal mass are one peak, with their summed abundance and mean mass, folded element by element as
in Böcker, Letzel, Lipták and Pervukhin, Bioinformatics 25, 218 (2009). Own code, some lines: pyteomics gives the
abundances (NIST), but its `mass.isotopologues` lists each isotopologue by itself, hundreds for a drug.
"""

from __future__ import annotations

import functools
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

N_PEAKS = 3
"""The monoisotopic peak, M+1 and M+2."""
Pattern: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.float64]]"


def isotope_pattern(atoms: tuple[tuple[str, int], ...]) -> Pattern | None:
    """Abundance (3,) relative to the monoisotopic peak and mass (3,) above it in Da; 0 and NaN for a peak without any.

    Monoisotopic is what has the most abundant isotope of each element; isotopes that are lighter than that, as of B and
    Se, are left out.

    Args:
        atoms: (element, count) of an ion or molecule.

    Returns:
        None where a count is negative or the isotopes of an element are not known.
    """
    whole = _one()
    for element, count in atoms:
        isotopes = _isotopes(element)
        if count < 0 or isotopes is None:
            return None
        whole = _folded(whole, _power(isotopes, count))
    abundance, moment = whole
    with np.errstate(invalid="ignore", divide="ignore"):
        return abundance / abundance[0], moment / abundance


def _one() -> Pattern:
    return np.eye(N_PEAKS)[0], np.zeros(N_PEAKS)


def _folded(one: Pattern, other: Pattern) -> Pattern:
    """The pattern of two parts together, each as abundance and abundance times mass."""
    abundance = np.convolve(one[0], other[0])[:N_PEAKS]
    return abundance, (np.convolve(one[1], other[0]) + np.convolve(one[0], other[1]))[:N_PEAKS]


def _power(pattern: Pattern, count: int) -> Pattern:
    result = _one()
    while count:
        if count & 1:
            result = _folded(result, pattern)
        pattern, count = _folded(pattern, pattern), count >> 1
    return result


@functools.cache
def _isotopes(element: str) -> Pattern | None:
    """Abundance, and abundance times mass above the most abundant isotope, by nominal mass above it."""
    from pyteomics.mass import nist_mass  # late: it takes 0.1 s, and few need it

    known = {number: value for number, value in nist_mass.get(element, {}).items() if number and value[1] > 0}
    if not known:
        return None
    main = max(known, key=lambda number: known[number][1])
    abundance, moment = np.zeros(N_PEAKS), np.zeros(N_PEAKS)
    for number, (mass, share) in known.items():
        if 0 <= number - main < N_PEAKS:
            abundance[number - main] = share
            moment[number - main] = share * (mass - known[main][0])
    return abundance, moment
