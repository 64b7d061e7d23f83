"""Vectors as they are stored."""

import numpy as np

from specbridge_tools.errors import DataError


def stored(vectors, dtype, ids):
    """(n, d) vectors as `dtype`; raises `DataError`, naming the first of n `ids`, where a value is not finite in it."""
    with np.errstate(over="ignore"):
        values = np.asarray(vectors).astype(dtype, copy=False)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        advice = "store it as float32" if dtype == "float16" else None
        raise DataError(f"the vector of {ids[int(finite.argmin())]} is not finite as {dtype}", advice=advice)
    return values
