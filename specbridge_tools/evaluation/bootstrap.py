"""Means over spectra and over molecules, with 95 % intervals bootstrapped over molecules."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
_DRAWN_AT_ONCE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrapped_means(
    values: ArrayLike, molecules: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[list[Estimate], list[Estimate]]:
    """Average the values of spectra over spectra and over molecules.

    Molecules are resampled with all their spectra, since spectra of one molecule are not independent.

    Args:
        values: (n, m) float, n at least 1.
        molecules: (n,) the molecule of each spectrum.
        resamples: How many.
        seed: Of the resampling.

    Returns:
        m estimates over spectra, and m over molecules (the spectra of each molecule averaged first).
    """
    values = np.asarray(values, np.float64)
    names, inverse = np.unique(np.asarray(molecules), return_inverse=True)
    count = np.bincount(inverse, minlength=len(names)).astype(np.float64)
    sums = np.stack([np.bincount(inverse, column, minlength=len(names)) for column in values.T], axis=1)
    means = sums / count[:, None]
    over_spectra, over_molecules = np.empty((2, resamples, values.shape[1]))
    rng = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // len(names))
    for start in range(0, resamples, at_once):
        rows = slice(start, min(start + at_once, resamples))
        drawn = _drawn(rng, rows.stop - start, len(names))
        over_spectra[rows] = drawn @ sums / (drawn @ count)[:, None]
        over_molecules[rows] = drawn @ means / len(names)
    return _estimates(values.mean(0), over_spectra), _estimates(means.mean(0), over_molecules)


def _drawn(rng: np.random.Generator, rows: int, n: int) -> NDArray[np.float64]:
    """How often each of n was drawn (rows, n) in n draws a row."""
    drawn = rng.integers(0, n, (rows, n))
    drawn += np.arange(rows)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _estimates(values: NDArray[np.float64], resampled: NDArray[np.float64]) -> list[Estimate]:
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    return [Estimate(*map(float, row)) for row in zip(values, low, high, strict=True)]
