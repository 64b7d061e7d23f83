from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.fragmentation.fragments.combine import combine
from specbridge_tools.fragmentation.fragments.pieces import find_pieces
from specbridge_tools.fragmentation.fragments.sizes import MAX_PIECES


@st.composite
def graphs(draw, most=9):
    """A connected graph with a cost on each edge: a random tree and up to three more edges."""
    n = draw(st.integers(1, most))
    edges = [(draw(st.integers(0, atom - 1)), atom) for atom in range(1, n)]
    free = [pair for pair in combinations(range(n), 2) if pair not in edges]
    if free:
        edges += draw(st.lists(st.sampled_from(free), unique=True, max_size=4))
    costs = draw(st.lists(st.integers(1, 5), min_size=len(edges), max_size=len(edges)))
    return n, edges, costs


def is_connected(mask, edges):
    atoms = {atom for atom in range(mask.bit_length()) if mask >> atom & 1}
    reached, todo = set(), [min(atoms)] if atoms else []
    while todo:
        atom = todo.pop()
        if atom in reached:
            continue
        reached.add(atom)
        todo += [b if a == atom else a for a, b in edges if atom in (a, b) and {a, b} <= atoms]
    return reached == atoms


def boundary(mask, edges):
    return [number for number, (a, b) in enumerate(edges) if (mask >> a & 1) != (mask >> b & 1)]


def pieces_by_hand(n, edges):
    whole = (1 << n) - 1
    return {
        mask
        for mask in range(1, whole)
        if len(boundary(mask, edges)) <= 2 and is_connected(mask, edges) and is_connected(whole ^ mask, edges)
    }


def components(mask, edges):
    found = []
    while mask:
        part = mask & -mask
        while True:
            grown = part
            for a, b in edges:
                if (part >> a & 1 or part >> b & 1) and mask >> a & 1 and mask >> b & 1:
                    grown |= 1 << a | 1 << b
            if grown == part:
                break
            part = grown
        found.append(part)
        mask &= ~part
    return found


def cut(n, edges, costs, max_cost, most=10**6):
    bonds = np.array(edges, np.int64).reshape(-1, 2)
    return find_pieces(n, bonds, np.array(costs, np.int64), max_cost, most)


def masks(atoms):
    """Bit masks of rows (k, n) of atoms."""
    return [sum(1 << int(atom) for atom in np.flatnonzero(row)) for row in atoms]


def sets_of(pieces, capacity, limit):
    return combine(pieces.words, pieces.closed, pieces.labels, pieces.cost, capacity, limit)


@given(graphs())
@settings(max_examples=150)
def test_pieces_are_the_sides_of_all_cuts_of_one_or_two_bonds(graph):
    n, edges, costs = graph
    pieces = cut(n, edges, costs, 100)
    found = masks(pieces.atoms)
    assert sorted(found) == sorted(pieces_by_hand(n, edges))
    for number, mask in enumerate(found):
        bonds = pieces.cuts[pieces.cuts[:, 0] == number]
        assert sorted(bonds[:, 1].tolist()) == boundary(mask, edges)
        assert all(mask >> edges[bond][end] & 1 for _, bond, end in bonds)
        assert not any(mask >> edges[bond][1 - end] & 1 for _, bond, end in bonds)
        assert pieces.cost[number] == sum(costs[bond] for bond in bonds[:, 1])
        assert (pieces.labels[number] == 0) == (len(bonds) == 1)
        closed = mask | sum(1 << atom for atom in {edges[bond][1 - end] for _, bond, end in bonds})
        assert (pieces.words[number].tolist(), pieces.closed[number].tolist()) == ([mask], [closed])
    assert pieces.cost.tolist() == sorted(pieces.cost)


@given(graphs(), st.integers(0, 12), st.integers(0, 20))
@settings(max_examples=100)
def test_of_too_many_pieces_the_cheapest_are_left(graph, max_cost, most):
    n, edges, costs = graph
    every, left = cut(n, edges, costs, 100), cut(n, edges, costs, max_cost, most)
    cheap = every.cost[every.cost <= max_cost]
    threshold = cheap[most] if len(cheap) > most else max_cost + 1
    assert left.cost.tolist() == cheap[cheap < threshold].tolist()
    assert masks(left.atoms) == masks(every.atoms)[: len(left.cost)]


@pytest.mark.slow
@given(graphs(), st.integers(0, 30))
@settings(max_examples=400)
def test_fragments_are_all_connected_parts_whose_losses_hang_on_one_or_two_bonds(graph, limit):
    n, edges, costs = graph
    whole = (1 << n) - 1
    pieces = cut(n, edges, costs, limit)
    sets, cost = sets_of(pieces, 10**6, limit)
    atoms = masks(pieces.atoms)
    found = {}
    for row, price in zip(sets.tolist(), cost.tolist(), strict=True):
        mask = whole
        for piece in row:
            if piece < len(atoms):
                assert mask & atoms[piece] == atoms[piece]
                mask &= ~atoms[piece]
        assert is_connected(mask, edges)
        assert mask not in found
        found[mask] = price
    expected = {}
    for mask in range(1, whole + 1):
        lost = components(whole ^ mask, edges)
        price = sum(costs[bond] for bond in boundary(mask, edges))
        hanging = all(len(boundary(part, edges)) <= 2 for part in lost)
        if is_connected(mask, edges) and hanging and len(lost) <= MAX_PIECES and price <= limit:
            expected[mask] = price
    assert found == expected


@given(graphs(), st.integers(1, 40))
@settings(max_examples=60)
def test_capacity_keeps_whole_levels_of_cost(graph, capacity):
    pieces = cut(*graph, 15)
    _, every = sets_of(pieces, 10**6, 15)
    _, kept = sets_of(pieces, capacity, 15)
    levels = [level for level in range(16) if (every <= level).sum() <= capacity]
    expected = every[every <= max(levels, default=0)]
    assert kept.tolist() == expected.tolist()


def test_atoms_beyond_the_64th_have_bits_of_their_own():
    """A chain of 150 atoms: both sides of each bond."""
    pieces = cut(150, [(atom, atom + 1) for atom in range(149)], [1] * 149, 10)
    assert len(pieces.cost) == 2 * 149
    for row, words in zip(pieces.atoms, pieces.words, strict=True):
        assert sum(int(word) << 64 * place for place, word in enumerate(words)) == masks([row])[0]
    assert sorted(pieces.atoms.sum(axis=1)) == sorted([*range(1, 150), *range(1, 150)])


def test_more_than_64_rings_split_where_few_do():
    """A ladder of 80 rungs, whose bonds outside the tree do not fit into a word: its rails can be cut in pairs."""
    n = 80
    edges = (
        [(i, i + 1) for i in range(n - 1)] + [(n + i, n + i + 1) for i in range(n - 1)] + [(i, n + i) for i in range(n)]
    )
    pieces = cut(2 * n, edges, [1] * len(edges), 10)
    rails = {(tuple(sorted(pieces.cuts[pieces.cuts[:, 0] == row][:, 1]))) for row in range(len(pieces.cost))}
    assert {(i, n - 1 + i) for i in range(n - 1)} <= rails
    # and at both ends the corner: a rail and the rung beside it
    assert len(rails) == n - 1 + 4
