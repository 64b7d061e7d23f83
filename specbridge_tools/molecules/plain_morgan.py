"""Morgan counts of a SMILES as this package writes it, in compiled loops: those that RDKit finds.

For a candidate that is compared with reference molecules, reading its SMILES and counting its environments with RDKit
took a fifth of a query. The algorithm is that of Rogers and Hahn (J. Chem. Inf. Model. 50, 742, 2010) with RDKit's hash
function, which sums whole numbers of 32 bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled
from specbridge_tools.molecules.plain_smiles import AROMATIC, read_plain

_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9
_WORD = 64
_AROMATIC_BOND = 12  # RDKit's number of its type
_ZERO, _ONE = np.int64(0), np.int64(1)
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


def plain_counts(smiles: str, *, radius: int, bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """The bits of a molecule's folded Morgan fingerprint, ascending, and how often each occurs.

    None for a SMILES that `read_plain` leaves to RDKit.
    """
    parsed = read_plain(smiles)
    if parsed is None:
        return None
    _, number, hydrogens, charge, _, in_ring, bonds, orders, _ = parsed
    found = _environments(number, hydrogens, charge, in_ring, bonds, orders, radius)
    columns, counts = np.unique(found % bits, return_counts=True)
    return columns, counts


@compiled
def _mixed(seed: int, value: int) -> int:
    """RDKit's hash of a value behind those that gave the seed."""
    return (seed ^ (((value & _MASK) + _GOLDEN + (seed << 6) + (seed >> 2)) & _MASK)) & _MASK


@compiled
def _environments(
    number: Ints, hydrogens: Ints, charge: Ints, in_ring: Bools, bonds: Ints, orders: Ints, radius: int
) -> Ints:
    """The hashes of all environments up to a radius; of several with the same bonds only one counts.

    Args:
        number: (n,) atomic numbers.
        hydrogens: (n,) on the atoms.
        charge: (n,).
        in_ring: (n,) whether the atoms are.
        bonds: (m, 2) pairs of atoms.
        orders: (m,) ten times the orders.
        radius: In bonds.
    """
    n, m = len(number), len(bonds)
    degree, current = np.zeros(n, np.int64), np.empty(n, np.int64)
    for bond in range(m):
        degree[bonds[bond, 0]] += 1
        degree[bonds[bond, 1]] += 1
    found, size = np.empty((radius + 1) * n, np.int64), 0
    for atom in range(n):
        seed = _mixed(_mixed(_ZERO, number[atom]), degree[atom] + hydrogens[atom])
        seed = _mixed(_mixed(_mixed(seed, hydrogens[atom]), charge[atom]), _ZERO)
        current[atom] = found[size] = _mixed(seed, _ONE) if in_ring[atom] else seed
        size += 1
    n_words = m // _WORD + 1
    around, seen = np.zeros((n, n_words), np.uint64), np.zeros(((radius + 1) * n, n_words), np.uint64)
    alive, n_seen = degree > 0, np.int64(0)
    for layer in range(radius):
        around = _wider(around, alive, bonds)
        current = _next_hashes(current, alive, degree, bonds, orders, layer)
        kept, n_before = np.zeros(n, np.bool_), n_seen
        for atom in range(n):
            if alive[atom] and _is_first(atom, current, alive, around, seen, n_before):
                kept[atom], found[size] = True, current[atom]
                size += 1
                for word in range(n_words):
                    seen[n_seen, word] = around[atom, word]
                n_seen += 1
        alive = kept
    return found[:size]


@compiled
def _wider(around: Words, alive: Bools, bonds: Ints) -> Words:
    """The bonds around each atom, by one step more: its own ones, and those around its neighbours; of atoms alive."""
    wider = np.empty(around.shape, np.uint64)
    for atom in range(around.shape[0]):
        for word in range(around.shape[1]):
            wider[atom, word] = around[atom, word]
    for bond in range(len(bonds)):
        for end in (0, 1):
            atom, other = bonds[bond, end], bonds[bond, 1 - end]
            if alive[atom]:
                wider[atom, bond // _WORD] |= np.uint64(1) << np.uint64(bond % _WORD)
                for word in range(around.shape[1]):
                    wider[atom, word] |= around[other, word]
    return wider


@compiled
def _next_hashes(current: Ints, alive: Bools, degree: Ints, bonds: Ints, orders: Ints, layer: int) -> Ints:
    """The hashes (n,) of the atoms with those of their neighbours, in the order of bond types and hashes; else 0."""
    n, most = len(current), 0
    for atom in range(n):
        most = max(most, degree[atom])
    beside, n_beside = np.empty((n, most), np.int64), np.zeros(n, np.int64)
    for bond in range(len(bonds)):
        kind = _AROMATIC_BOND if orders[bond] == AROMATIC else orders[bond] // 10
        for end in (0, 1):
            atom = bonds[bond, end]
            value = (kind << 32) | current[bonds[bond, 1 - end]]
            place = n_beside[atom]
            while place > 0 and beside[atom, place - 1] > value:
                beside[atom, place] = beside[atom, place - 1]
                place -= 1
            beside[atom, place] = value
            n_beside[atom] += 1
    following = np.zeros(n, np.int64)
    for atom in range(n):
        if alive[atom]:
            seed = _mixed(layer, current[atom])
            for place in range(n_beside[atom]):
                value = beside[atom, place]
                seed = _mixed(seed, _mixed(_mixed(_ZERO, value >> 32), value & _MASK))
            following[atom] = seed
    return following


@compiled
def _is_first(atom: int, current: Ints, alive: Bools, around: Words, seen: Words, n_seen: int) -> bool:
    """Whether no layer before, and no atom alive with a lower hash or number, has the same bonds around it."""
    for row in range(n_seen):
        if _is_same(seen, row, around, atom):
            return False
    for other in range(len(current)):
        before = current[other] < current[atom] or (current[other] == current[atom] and other < atom)
        if before and alive[other] and _is_same(around, other, around, atom):
            return False
    return True


@compiled
def _is_same(first: Words, row: int, second: Words, other: int) -> bool:
    different = np.uint64(0)
    for word in range(first.shape[1]):
        different |= first[row, word] ^ second[other, word]
    return different == 0
