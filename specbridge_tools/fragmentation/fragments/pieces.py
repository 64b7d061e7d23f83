"""Pieces of a molecular graph: what comes off when one bond, or two bonds of a ring, are cut.

Every bridge of the graph makes two pieces, its two sides. So does every pair of ring bonds whose removal splits the
graph in two. Pairs are found from one spanning tree: a bond of the tree is labelled with the set of bonds outside the
tree that close a ring over it, a bond outside the tree with itself; two ring bonds split the graph exactly when their
labels are equal, and a bridge has an empty label (the cycle space of the graph; Pritchard & Thurimella, ACM Trans.
Algorithms 7, 46, 2011). Time is linear in atoms and bonds plus the number of pairs.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# (neighbour, number of the bond) of each atom
_Neighbours = list[list[tuple[int, int]]]


class Piece(NamedTuple):
    """A connected part of the molecule that hangs on the rest by one or two bonds.

    Attributes:
        atoms: Bit mask of its atoms (bit i = atom i), of any size.
        bonds: Numbers of the cut bonds, one or two.
        label: 0 for a bridge, else the label > 0 that the two ring bonds share.
        cost: Sum of the costs of the cut bonds.
    """

    atoms: int
    bonds: tuple[int, ...]
    label: int
    cost: int


def find_pieces(
    n_atoms: int, bonds: Sequence[Sequence[int]], bond_costs: Sequence[int], *, max_cost: int
) -> list[Piece]:
    """Find all pieces of a graph, cheapest first. Of a graph in several parts, only that with atom 0 is looked at.

    Args:
        n_atoms: At least 1.
        bonds: m pairs of atom numbers, each bond once.
        bond_costs: m costs > 0.
        max_cost: The highest cost of a piece.
    """
    neighbours: _Neighbours = [[] for _ in range(n_atoms)]
    for number, (first, second) in enumerate(bonds):
        neighbours[first].append((second, number))
        neighbours[second].append((first, number))
    order, parent, link = _spanning_tree(neighbours)
    below, label, outside = _label(order, parent, link, neighbours)
    whole = below[0]
    pieces = []
    # ring bonds by their label, and the mask of the subtree below each
    series: dict[int, list[tuple[int, int]]] = {}
    for atom in order[1:]:
        bond = link[atom]
        if label[atom]:
            series.setdefault(label[atom], []).append((bond, below[atom]))
        elif bond_costs[bond] <= max_cost:
            pieces.append(Piece(below[atom], (bond,), 0, bond_costs[bond]))
            pieces.append(Piece(whole & ~below[atom], (bond,), 0, bond_costs[bond]))
    for bond, bit in outside.items():
        series.setdefault(bit, []).append((bond, 0))
    for shared, members in series.items():
        pieces.extend(_ring_pieces(members, bond_costs, whole, shared, max_cost))
    pieces.sort(key=operator.attrgetter("cost"))
    return pieces


def _spanning_tree(neighbours: _Neighbours) -> tuple[list[int], list[int], list[int]]:
    """Breadth first from atom 0: atoms in order, and for each the atom above it and the bond to it (-1 for none)."""
    parent, link = [-1] * len(neighbours), [-1] * len(neighbours)
    order, seen = [0], {0}
    for atom in order:
        for other, bond in neighbours[atom]:
            if other not in seen:
                seen.add(other)
                parent[other], link[other] = atom, bond
                order.append(other)
    return order, parent, link


def _label(
    order: list[int], parent: list[int], link: list[int], neighbours: _Neighbours
) -> tuple[list[int], list[int], dict[int, int]]:
    """For each atom the mask and the label of its subtree, and {bond outside the tree: its bit in the labels}."""
    below = [1 << atom for atom in range(len(neighbours))]
    label = [0] * len(neighbours)
    outside: dict[int, int] = {}
    tree = set(link)
    for atom in reversed(order):
        for _, bond in neighbours[atom]:
            if bond not in tree:
                label[atom] ^= outside.setdefault(bond, 1 << len(outside))
        if parent[atom] >= 0:
            below[parent[atom]] |= below[atom]
            label[parent[atom]] ^= label[atom]
    return below, label, outside


def _ring_pieces(
    members: Sequence[tuple[int, int]], bond_costs: Sequence[int], whole: int, label: int, max_cost: int
) -> Iterator[Piece]:
    """Both sides of each pair of bonds in one series; members are (bond, mask of the subtree below it or 0)."""
    for number, (first, first_side) in enumerate(members):
        for second, second_side in members[:number]:
            cost = bond_costs[first] + bond_costs[second]
            if cost <= max_cost:
                side = first_side ^ second_side
                yield Piece(side, (first, second), label, cost)
                yield Piece(whole & ~side, (first, second), label, cost)
