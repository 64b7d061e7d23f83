"""Pieces of a molecular graph: what comes off when one bond, or two bonds of a ring, are cut. Compiled loops.

Every bridge of the graph makes two pieces, its two sides. So does every pair of ring bonds whose removal splits the
graph in two. Pairs are found from one spanning tree: a bond of the tree is labelled with the set of bonds outside the
tree that close a ring over it, a bond outside the tree with itself; two ring bonds split the graph exactly when their
labels are equal, and a bridge has an empty label (the cycle space of the graph; Pritchard & Thurimella, ACM Trans.
Algorithms 7, 46, 2011). Time is linear in atoms and bonds plus the number of pairs of ring bonds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled

NO_BOND = -1
_WORD = 64
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]


class Pieces(NamedTuple):
    """The k pieces of a molecule of n atoms, cheapest first.

    Attributes:
        atoms: (k, n) which atoms they have.
        words: (k, words) the same, bit i of the words for atom i.
        closed: (k, words) with the atoms at the other ends of the cut bonds.
        labels: (k,) 0 for a bridge, else what the two ring bonds share.
        cuts: (c, 3) piece, bond, and the end of the bond (0 or 1) that goes with the piece.
        cost: (k,) sums of the costs of the cut bonds.
    """

    atoms: NDArray[np.bool_]
    words: Words
    closed: Words
    labels: Words
    cuts: Ints
    cost: Ints


@compiled
def find_pieces(n_atoms: int, bonds: Ints, bond_costs: Ints, max_cost: int, most: int) -> Pieces:
    """Find the pieces of a graph. Of a graph in several parts, only that with atom 0 is looked at.

    Args:
        n_atoms: At least 1.
        bonds: (m, 2) atom numbers, each bond once.
        bond_costs: (m,) > 0.
        max_cost: The highest cost of a piece.
        most: Where there are more pieces, those are left that cost less than the first one too many.
    """
    bond, label, side, whole = _labelled_bonds(n_atoms, bonds)
    later, earlier, of_way = _ways_to_cut(label, bond_costs[bond], max_cost, most)
    k, n_words = 2 * len(of_way), len(whole)
    words = np.empty((k, n_words), np.uint64)
    cut_bonds, of_piece, cost = np.empty((k, 2), np.int64), np.empty(k, np.uint64), np.empty(k, np.int64)
    for piece in range(k):
        first, second = later[piece // 2], earlier[piece // 2]
        of_piece[piece], cost[piece] = label[first], of_way[piece // 2]
        cut_bonds[piece, 0] = bond[first]
        cut_bonds[piece, 1] = bond[second] if second != NO_BOND else NO_BOND
        for word in range(n_words):
            words[piece, word] = side[first, word]
            if second != NO_BOND:
                words[piece, word] ^= side[second, word]
            if piece % 2:
                words[piece, word] = whole[word] & ~words[piece, word]
    atoms = np.empty((k, n_atoms), np.bool_)
    for piece in range(k):
        for atom in range(n_atoms):
            atoms[piece, atom] = (words[piece, atom // _WORD] >> np.uint64(atom % _WORD)) & np.uint64(1)
    cuts, closed = _cuts(atoms, words, cut_bonds, bonds)
    return Pieces(atoms, words, closed, of_piece, cuts, cost)


@compiled
def _cuts(atoms: NDArray[np.bool_], words: Words, cut_bonds: Ints, bonds: Ints) -> tuple[Ints, Words]:
    """Cuts and closed pieces, as `Pieces` has them."""
    closed = np.empty(words.shape, np.uint64)
    n_cuts = 0
    for piece in range(len(words)):
        for word in range(words.shape[1]):
            closed[piece, word] = words[piece, word]
        n_cuts += 1 if cut_bonds[piece, 1] == NO_BOND else 2
    cuts = np.empty((n_cuts, 3), np.int64)
    row = 0
    for piece in range(len(words)):
        for place in (0, 1):
            bond = cut_bonds[piece, place]
            if bond != NO_BOND:
                going = 0 if atoms[piece, bonds[bond, 0]] else 1
                cuts[row, 0], cuts[row, 1], cuts[row, 2] = piece, bond, going
                beside = bonds[bond, 1 - going]
                closed[piece, beside // _WORD] |= np.uint64(1) << np.uint64(beside % _WORD)
                row += 1
    return cuts, closed


@compiled
def _labelled_bonds(n_atoms: int, bonds: Ints) -> tuple[Ints, Words, Words, Words]:
    """The m bonds, those of a spanning tree first, in its order; the label of each, and what is beneath it in the tree.

    Labels that fit into a word are kept. Otherwise each bond outside the tree stands for a fixed random number:
    combinations that are 0 stay 0, and any other becomes 0 with probability 2^-64.

    Returns:
        Numbers (m,), labels (m,), atoms beneath (m, words), and the atoms of the whole tree (words,).
    """
    order, parent, link = _spanning_tree(n_atoms, bonds)
    n_tree, n_words = len(order) - 1, (n_atoms + _WORD - 1) // _WORD
    below = np.zeros((n_atoms, n_words), np.uint64)
    for atom in range(n_atoms):
        below[atom, atom // _WORD] = np.uint64(1) << np.uint64(atom % _WORD)
    number, label = np.empty(len(bonds), np.int64), np.empty(len(bonds), np.uint64)
    side = np.zeros((len(bonds), n_words), np.uint64)
    place = np.empty(len(bonds), np.int64)
    for bond in range(len(bonds)):
        place[bond] = -1
    for row in range(n_tree):
        number[row] = link[order[row + 1]]
        place[number[row]] = row
    above = np.zeros(n_atoms, np.uint64)  # label of the bond from each atom up the tree
    row = n_tree
    for bond in range(len(bonds)):
        if place[bond] < 0:
            bit = row - n_tree
            number[row] = bond
            label[row] = np.uint64(1) << np.uint64(bit) if len(bonds) - n_tree <= _WORD else _scrambled(bit + 1)
            above[bonds[bond, 0]] ^= label[row]
            above[bonds[bond, 1]] ^= label[row]
            row += 1
    for row in range(n_tree - 1, -1, -1):
        atom = order[row + 1]
        label[row] = above[atom]
        above[parent[atom]] ^= above[atom]
        for word in range(n_words):
            side[row, word] = below[atom, word]
            below[parent[atom], word] |= below[atom, word]
    return number, label, side, below[0]


@compiled
def _spanning_tree(n_atoms: int, bonds: Ints) -> tuple[Ints, Ints, Ints]:
    """Breadth first from atom 0: atoms in order, and for each the atom above it and the bond to it (-1 for none)."""
    first = np.zeros(n_atoms + 1, np.int64)
    for bond in range(len(bonds)):
        first[bonds[bond, 0] + 1] += 1
        first[bonds[bond, 1] + 1] += 1
    order, parent = np.zeros(n_atoms, np.int64), np.empty(n_atoms, np.int64)
    link, free = np.empty(n_atoms, np.int64), np.empty(n_atoms, np.int64)
    for atom in range(n_atoms):
        parent[atom] = link[atom] = -1
        free[atom] = first[atom]
        first[atom + 1] += first[atom]
    at = np.empty(2 * len(bonds), np.int64)  # the bonds at each atom
    for bond in range(len(bonds)):
        for side in (0, 1):
            end = bonds[bond, side]
            at[free[end]] = bond
            free[end] += 1
    n_reached = 1
    row = 0
    while row < n_reached:
        atom = order[row]
        for place in range(first[atom], first[atom + 1]):
            bond = at[place]
            other = bonds[bond, 0] + bonds[bond, 1] - atom
            if other != 0 and parent[other] < 0:
                parent[other], link[other], order[n_reached] = atom, bond, other
                n_reached += 1
        row += 1
    return order[:n_reached], parent, link


@compiled
def _scrambled(number: int) -> np.uint64:
    # the finaliser of splitmix64
    z = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _ways_to_cut(label: Words, bond_costs: Ints, max_cost: int, most: int) -> tuple[Ints, Ints, Ints]:
    """The bridges, then the pairs of bonds of one label, label by label: two pieces each; sorted by their costs.

    Returns:
        Rows of a bond; of another before it, `NO_BOND` for a bridge; the sum of their costs.
    """
    n = len(label)
    following, is_later = np.empty(n, np.int64), np.zeros(n, np.bool_)
    for row in range(n):
        following[row] = -1
    for row in range(n):
        if label[row] != 0:
            for other in range(row + 1, n):
                if label[other] == label[row]:
                    following[row], is_later[other] = other, True
                    break
    place = np.zeros(max_cost + 2, np.int64)
    later = earlier = cost = np.empty(0, np.int64)
    for is_counted in (False, True):
        if is_counted:
            max_cost = _highest(place[1:], most, max_cost)
            for value in range(max_cost + 1):
                place[value + 1] += place[value]
            size = place[max_cost + 1]
            later, earlier, cost = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
        for bridges in (True, False):
            for start in range(n):
                if (label[start] == 0) != bridges or is_later[start]:
                    continue
                row = start
                while row >= 0:
                    other = NO_BOND if bridges else start
                    while other != row:
                        of_way = bond_costs[row] + (0 if bridges else bond_costs[other])
                        if of_way <= max_cost and is_counted:
                            way = place[of_way]
                            later[way], earlier[way], cost[way] = row, other, of_way
                            place[of_way] += 1
                        elif of_way <= max_cost:
                            place[of_way + 1] += 1
                        if bridges:
                            break
                        other = following[other]
                    row = following[row]
    return later, earlier, cost


@compiled
def _highest(ways: Ints, most: int, limit: int) -> int:
    """The highest cost, at most `limit`, up to which there are at most `most` pieces, two for each of the ways."""
    total = 0
    for cost in range(limit + 1):
        total += 2 * ways[cost]
        if total > most:
            return cost - 1
    return limit
