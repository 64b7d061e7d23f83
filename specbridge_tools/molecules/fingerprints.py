"""Counts of substructures as a sparse matrix."""

import itertools

import numpy as np
from scipy import sparse


def counts_matrix(rows, *, bits, counts):
    """n dicts {bit: count} -> CSR matrix (n, bits) float32, indices sorted; with `counts=False` 1 for every count."""
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.fromiter(itertools.chain.from_iterable(rows), np.int32, indptr[-1])
    values = itertools.chain.from_iterable(row.values() for row in rows)
    data = np.fromiter(values, np.float32, indptr[-1]) if counts else np.ones(indptr[-1], np.float32)
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), bits))
    matrix.sort_indices()
    return matrix
