"""The layers that are no product of matrices: compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled

Floats = NDArray[np.float32]


@compiled
def add_bias(values: Floats, bias: Floats, relu: bool) -> None:
    """Add the bias (h,) to each row of the values (n, h), in place; with `relu` what is negative becomes 0."""
    least = np.float32(0) if relu else np.float32(-np.inf)
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column] + bias[column]
            values[row, column] = least if value < least else value


@compiled
def with_neighbours(atoms: Floats, bonds: NDArray[np.int64]) -> Floats:
    """The vectors (n, a) of atoms, each with the sum of its neighbours' behind it (n, 2 a)."""
    n, width = atoms.shape
    both = np.zeros((n, 2 * width), np.float32)
    for atom in range(n):
        for column in range(width):
            both[atom, column] = atoms[atom, column]
    for bond in range(len(bonds)):
        for end in (0, 1):
            atom, other = bonds[bond, end], bonds[bond, 1 - end]
            total, vector = both[atom, width:], atoms[other]
            for column in range(width):
                total[column] += vector[column]
    return both


@compiled
def cut_sums(of_staying: Floats, of_going: Floats, of_kind: Floats, cuts: NDArray[np.int64], out: Floats) -> None:
    """Add to `out` (k, a) the sums over the cuts of each piece of relu(what the cut gains).

    Args:
        of_staying: (n, a) what a cut gains by the atom that stays.
        of_going: (n, a) what it gains by the one that goes.
        of_kind: (kinds, a) what it gains by the kind of its bond.
        cuts: (c, 4) piece, atom that stays, atom that goes, kind of the bond.
        out: (k, a or more).
    """
    width = of_kind.shape[1]
    for row in range(len(cuts)):
        total, staying = out[cuts[row, 0]], of_staying[cuts[row, 1]]
        going, kind = of_going[cuts[row, 2]], of_kind[cuts[row, 3]]
        for column in range(width):
            value = staying[column] + going[column] + kind[column]
            total[column] += np.float32(0) if value < 0 else value


@compiled
def fragment_layer(
    pieces: Floats, sets: NDArray[np.int32], masses: NDArray[np.float64], scale: float, of_mass: Floats, common: Floats,
    out: Floats,
) -> None:  # fmt: skip
    """Write the first hidden layer of one candidate's fragments to `out` (f, h).

    Args:
        pieces: (k + 1, h), of the filler 0.
        sets: (f, MAX_PIECES) the pieces that each fragment lacks, then k as a filler.
        masses: (f,) of the fragments, the first that of the candidate.
        scale: What masses are divided by.
        of_mass: (3, h) for the mass as a share of the candidate's, its square, and the mass itself.
        common: (MAX_PIECES + 1, h) what fragments have in common, by how many pieces they lack.
        out: (f, h).
    """
    filler, width = len(pieces) - 1, pieces.shape[1]
    for row in range(len(sets)):
        size = 0
        while size < sets.shape[1] and sets[row, size] < filler:
            size += 1
        share = masses[row] / masses[0]
        first, second, third = np.float32(share), np.float32(share * share), np.float32(masses[row] / scale)
        a, b, c, d = sets[row, 0], sets[row, 1], sets[row, 2], sets[row, 3]
        for column in range(width):
            of_masses = first * of_mass[0, column] + second * of_mass[1, column] + third * of_mass[2, column]
            value = common[size, column] + of_masses
            value = value + pieces[a, column] + pieces[b, column] + pieces[c, column] + pieces[d, column]
            out[row, column] = np.float32(0) if value < 0 else value
