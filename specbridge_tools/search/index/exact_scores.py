"""Why the search is exact to the last bit: vectors on a grid, on which float64 makes no rounding error.

Every stored or searched value is a multiple of 2**-25 (float16 values always are: their finest step is 2**-24; float32
values are rounded to it, which moves them by 1.5e-8 at most). A product of two is a multiple of 2**-50, and, as the
vectors have unit norm, so is every partial sum, below 8 in size (Cauchy-Schwarz): it fits the 53 bits of a float64. So
the score is the same whatever the order of the additions, the slice, the batch, the BLAS or the number of threads, and
the ranking equals that of a brute force search.
"""

import numpy as np

GRID = 2.0**25
DTYPES = ("float16", "float32")
_UNIT = 0.01
# from this many queries on, BLAS pays although it starts threads
_MANY = 16


def unit_rows(vectors, dtype):
    """Vectors (n, d) -> the same directions with unit norm, rounded to the grid, (n, d) float16 or float32.

    A zero vector stays zero. The norm is 1 to within the rounding of `dtype`.
    """
    vectors = np.asarray(vectors, np.float64)
    norms = _norms(vectors)[:, None]
    return on_grid(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0), dtype)


def on_grid(unit, dtype):
    """Unit vectors (n, d) -> the nearest ones that `dtype` holds with all values on the grid, (n, d) `dtype`."""
    if np.dtype(dtype) == np.float16:
        return unit.astype(np.float16)
    return (np.rint(unit * GRID) / GRID).astype(np.float32)


def has_unit_norm(vectors):
    """Whether each of (n, d) has norm 1, to within the rounding of float16; NaN has not."""
    return np.abs(_norms(np.asarray(vectors, np.float64)) - 1) < _UNIT


def _norms(vectors):
    return np.sqrt(np.einsum("ij,ij->i", vectors, vectors))


def exact_scores(rows, queries):
    """Inner products of grid vectors: rows (n, d), queries (m, d) -> (n, m) float64, free of rounding errors."""
    rows = rows.astype(np.float64)
    queries = queries.astype(np.float64, copy=False)
    if len(queries) < _MANY:
        return np.einsum("ij,kj->ik", rows, queries)
    return rows @ queries.T
