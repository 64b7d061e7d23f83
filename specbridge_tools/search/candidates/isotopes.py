"""How well the isotope pattern of each candidate's ion fits the peaks of the precursor in MS1."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.adduct_grammar import read_adduct
from specbridge_tools.molecules.formula import parse_formula
from specbridge_tools.molecules.isotope_pattern import N_PEAKS, Pattern, isotope_pattern

MODES = ("mark", "drop")
FITS = 1.0
"""The largest misfit of a formula that fits."""
_SAME_PEAK = 0.012  # m/z
_RARE_ISOTOPES = frozenset({"37Cl", "81Br"})
# An error that measured ratios have: Kind and Fiehn, BMC Bioinformatics 8, 105 (2007), find 2 to 10 % on good
# instruments; more is allowed, since a formula that is dropped wrongly cannot be found any more.
_ABSOLUTE, _RELATIVE = 0.05, 0.25


def isotope_misfits(
    peaks: NDArray[np.float64], precursor_mz: float, formulas: Sequence[str], adducts: Sequence[str]
) -> NDArray[np.float64]:
    """(n,) misfit of each candidate: up to 1 its pattern fits; NaN where nothing can be said.

    That is the larger of the errors of M+1 and M+2, each the difference of the measured and the expected intensity
    relative to M, divided by 0.05 + 0.25 times the larger of the two. A peak that is missing counts as the weakest one
    that is there, or as the expected one if that is weaker.

    Args:
        peaks: (k, 2) m/z and intensity of MS1 around the precursor, ascending; (0, 2) where there are none.
        precursor_mz: m/z.
        formulas: (n,) of the candidates.
        adducts: (n,) their names, '' where there is none.
    """
    unknown = np.full(len(formulas), np.nan)
    if not len(peaks) or np.abs(peaks[:, 0] - precursor_mz).min() > _SAME_PEAK:
        return unknown
    first = peaks[int(np.abs(peaks[:, 0] - precursor_mz).argmin())]
    ratios = peaks * (1.0, 1.0 / first[1]) - (first[0], 0.0)
    known: dict[tuple[str, str], float] = {}
    for key in zip(formulas, adducts, strict=True):
        if key not in known:
            known[key] = _misfit(ratios, *key)
    return np.array([known[key] for key in zip(formulas, adducts, strict=True)], np.float64)


def _misfit(ratios: NDArray[np.float64], formula: str, adduct: str) -> float:
    """The misfit of one ion, from the peaks (k, 2): m/z above M, intensity relative to it."""
    known = _pattern(formula, adduct)
    if known is None:
        return np.nan
    (expected, mass), charge = known
    if not (np.abs(ratios[:, 0] - 1.00335 / charge) < 2 * _SAME_PEAK).any():
        return np.nan  # of an ion of carbon M+1 is there, or weak isotopes are not in the file
    weakest = float(ratios[:, 1].min())
    errors = []
    for k in range(1, N_PEAKS):
        at = np.abs(ratios[:, 0] - (mass[k] if mass[k] == mass[k] else k) / charge) < _SAME_PEAK
        measured = float(ratios[at, 1].sum()) if at.any() else min(float(expected[k]), weakest)
        errors.append(abs(measured - expected[k]) / (_ABSOLUTE + _RELATIVE * max(measured, float(expected[k]))))
    return max(errors)


@functools.lru_cache(maxsize=65536)
def _pattern(formula: str, adduct: str) -> tuple[Pattern, int] | None:
    """The pattern of an ion, and the size of its charge; None where it is not known."""
    try:
        atoms, _ = parse_formula(formula)
        ion = read_adduct(adduct)
    except DataError:
        return None
    counts = {element: count * ion.n_molecules for element, count in atoms.items()}
    for element, count in ion.composition:
        counts[element] = counts.get(element, 0) + count
    if _RARE_ISOTOPES & counts.keys():
        return None
    pattern = isotope_pattern(tuple(sorted((element, count) for element, count in counts.items() if count)))
    return None if pattern is None else (pattern, abs(ion.charge))
