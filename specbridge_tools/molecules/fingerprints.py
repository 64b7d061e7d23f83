"""Counts of substructures as a sparse matrix. Apart from `chemistry`: encoders that have the counts need no rdkit."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse


def counts_matrix(rows: Sequence[Mapping[int, int]], *, bits: int, counts: bool) -> sparse.csr_matrix:
    """Dicts {bit: count} of n molecules -> (n, bits) float32, indices sorted; with `counts=False` 1 for every count."""
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.fromiter(itertools.chain.from_iterable(rows), np.int32, indptr[-1])
    values = itertools.chain.from_iterable(row.values() for row in rows)
    data = np.fromiter(values, np.float32, indptr[-1]) if counts else np.ones(indptr[-1], np.float32)
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), bits))
    matrix.sort_indices()
    return matrix
