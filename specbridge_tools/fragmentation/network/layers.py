"""The layers that are no product of matrices: compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled

Floats = NDArray[np.float32]


@compiled
def cut_sums(staying: Floats, going: Floats, of_kind: Floats, cuts: NDArray[np.int64], n_pieces: int) -> Floats:
    """The sums (k, a) over the cuts of each piece of relu(staying + going + kind), as the cuts (c, 4) name them."""
    sums = np.zeros((n_pieces, staying.shape[1]), np.float32)
    for row in range(len(cuts)):
        piece, stays, goes, kind = cuts[row]
        for column in range(staying.shape[1]):
            value = staying[stays, column] + going[goes, column] + of_kind[kind, column]
            sums[piece, column] += max(value, np.float32(0))
    return sums


@compiled
def fragment_layer(
    pieces: Floats, sets: NDArray[np.int32], masses: Floats, of_mass: Floats, common: Floats, out: Floats
) -> None:
    """Write the first hidden layer of one candidate's fragments to `out` (f, h).

    Args:
        pieces: (k, h).
        sets: (f, MAX_PIECES) the pieces that each fragment lacks, then k as a filler.
        masses: (f, 3).
        of_mass: (3, h).
        common: (MAX_PIECES + 1, h) what fragments have in common, by how many pieces they lack.
        out: (f, h).
    """
    n_pieces, width = pieces.shape
    for row in range(len(sets)):
        size = 0
        while size < sets.shape[1] and sets[row, size] < n_pieces:
            size += 1
        first, second, third = masses[row]
        for column in range(width):
            of_masses = first * of_mass[0, column] + second * of_mass[1, column] + third * of_mass[2, column]
            out[row, column] = common[size, column] + of_masses
        for position in range(size):
            piece = sets[row, position]
            for column in range(width):
                out[row, column] += pieces[piece, column]
        for column in range(width):
            out[row, column] = max(out[row, column], np.float32(0))
