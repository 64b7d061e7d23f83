"""Why the search is exact to the last bit: vectors on a grid, on which float64 makes no rounding error.

Every stored or searched value is a multiple of 2**-25 (float16 values always are: their finest step is 2**-24; float32
values are rounded to it, which moves them by 1.5e-8 at most). A product of two is a multiple of 2**-50, and, as the
vectors have unit norm, so is every partial sum, below 8 in size (Cauchy-Schwarz): it fits the 53 bits of a float64. So
the score is the same whatever the order of the additions, the slice, the batch, the BLAS or the number of threads, and
the ranking equals that of a brute force search.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

GRID = 2.0**25
DTYPES = ("float16", "float32")
# how far from 1 the norm of a vector that was stored as float16 may be
_NORM_TOLERANCE = 0.01
# from this many queries on, BLAS pays although it starts threads
_MANY = 16


def unit_rows(vectors: ArrayLike, dtype: DTypeLike) -> NDArray[np.floating]:
    """Vectors (n, d) -> the same directions with unit norm, rounded to the grid, (n, d) float16 or float32.

    A zero vector stays zero. The norm is 1 to within the rounding of `dtype`.
    """
    exact = np.asarray(vectors, np.float64)
    norms = _norms(exact)[:, None]
    return on_grid(np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0), dtype)


def on_grid(unit: NDArray[np.floating], dtype: DTypeLike) -> NDArray[np.floating]:
    """Unit vectors (n, d) -> the nearest ones that `dtype` holds with all values on the grid, (n, d) `dtype`."""
    if np.dtype(dtype) == np.float16:
        return unit.astype(np.float16)
    return (np.rint(unit * GRID) / GRID).astype(np.float32)


def has_unit_norm(vectors: ArrayLike) -> NDArray[np.bool_]:
    """Whether each of (n, d) has norm 1, to within the rounding of float16, (n,); a vector with NaN has not."""
    return np.abs(_norms(np.asarray(vectors, np.float64)) - 1) < _NORM_TOLERANCE


def _norms(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.einsum("ij,ij->i", vectors, vectors))


def exact_scores(rows: NDArray[np.floating], queries: NDArray[np.floating]) -> NDArray[np.float64]:
    """Inner products of grid vectors, free of rounding errors: rows (n, d), queries (m, d) -> (n, m) float64."""
    rows = rows.astype(np.float64)
    queries = queries.astype(np.float64, copy=False)
    if len(queries) < _MANY:
        return np.einsum("ij,kj->ik", rows, queries)
    return rows @ queries.T
