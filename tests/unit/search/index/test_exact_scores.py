import math
from fractions import Fraction

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.search.index.exact_scores import DTYPES, GRID, exact_scores, unit_rows

VALUES = st.floats(-1e3, 1e3, width=32)
MATRICES = st.integers(1, 40).flatmap(lambda d: arrays.arrays(np.float32, (6, d), elements=VALUES))


def fraction_product(a, b):
    return sum(Fraction(float(x)) * Fraction(float(y)) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
@given(vectors=MATRICES)
def test_scores_are_free_of_rounding(dtype, vectors):
    rows = unit_rows(vectors, dtype)
    scores = exact_scores(rows[:4], rows[4:])
    for i in range(4):
        for j in range(2):
            assert Fraction(float(scores[i, j])) == fraction_product(rows[i], rows[4 + j])


@pytest.mark.parametrize("dtype", DTYPES)
def test_scores_do_not_depend_on_slice_or_batch(dtype):
    rng = np.random.default_rng(1)
    rows = unit_rows(rng.normal(size=(300, 512)), dtype)
    queries = unit_rows(rng.normal(size=(40, 512)), dtype).astype(float)
    together = exact_scores(rows, queries)
    assert np.array_equal(together, np.concatenate([exact_scores(rows, queries[i : i + 1]) for i in range(40)], axis=1))
    assert np.array_equal(together[7:8], exact_scores(rows[7:8], queries))
    assert together[3, 5] == math.fsum(float(a) * float(b) for a, b in zip(rows[3], queries[5], strict=True))


@pytest.mark.parametrize(("dtype", "largest_error"), [("float16", 6e-4), ("float32", 2e-7)])
def test_unit_rows_have_norm_one_and_lie_on_the_grid(dtype, largest_error):
    rows = unit_rows(np.random.default_rng(2).normal(size=(50, 300)) * 1e3, dtype).astype(np.float64)
    assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < largest_error
    assert np.array_equal(rows * GRID, np.rint(rows * GRID))


def test_a_zero_vector_stays_zero():
    assert not unit_rows(np.zeros((1, 4)), "float16").any()
