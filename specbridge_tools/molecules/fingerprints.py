"""Counts of substructures as a sparse matrix. Apart from `chemistry`: encoders that have the counts need no rdkit."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse


def counts_matrix(rows: Sequence[Mapping[int, int]], *, bits: int, counts: bool) -> sparse.csr_matrix:
    """Dicts {bit: count} of n molecules -> (n, bits) float32, indices sorted; with `counts=False` 1 for every count."""
    from scipy import sparse  # which takes longer to import than most of what does without it

    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.fromiter(itertools.chain.from_iterable(rows), np.int32, indptr[-1])
    values = itertools.chain.from_iterable(row.values() for row in rows)
    data = np.fromiter(values, np.float32, indptr[-1]) if counts else np.ones(indptr[-1], np.float32)
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(rows), bits))
    matrix.sort_indices()
    return matrix


def bits_matrix(offsets: NDArray[np.int64], columns: NDArray[np.int32], *, bits: int) -> sparse.csr_matrix:
    """Bits of n molecules -> what `counts_matrix` makes of them without counts.

    Args:
        offsets: (n + 1,), from 0: molecule i has the bits columns[offsets[i]:offsets[i + 1]].
        columns: Ascending for each molecule.
        bits: Of a fingerprint.
    """
    from scipy import sparse

    data = np.ones(len(columns), np.float32)
    return sparse.csr_matrix((data, columns, offsets.astype(np.int32)), shape=(len(offsets) - 1, bits))
