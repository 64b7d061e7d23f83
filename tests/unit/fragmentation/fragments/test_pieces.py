from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.fragmentation.fragments.combine import (
    MAX_PIECES,
    combine,
    go_together,
    label_words,
    mask_words,
    unpack_words,
)
from specbridge_tools.fragmentation.fragments.pieces import find_pieces


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


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_pieces_are_the_sides_of_all_cuts_of_one_or_two_bonds(graph):
    n, edges, costs = graph
    pieces = find_pieces(n, edges, costs, max_cost=100)
    assert sorted(piece.atoms for piece in pieces) == sorted(pieces_by_hand(n, edges))
    for piece in pieces:
        assert sorted(piece.bonds) == boundary(piece.atoms, edges)
        assert piece.cost == sum(costs[bond] for bond in piece.bonds)
        assert (piece.label == 0) == (len(piece.bonds) == 1)
    assert [piece.cost for piece in pieces] == sorted(piece.cost for piece in pieces)


@pytest.mark.slow
@given(graphs(), st.integers(0, 30))
@settings(max_examples=400, deadline=None)
def test_fragments_are_all_connected_parts_whose_losses_hang_on_one_or_two_bonds(graph, limit):
    n, edges, costs = graph
    whole = (1 << n) - 1
    pieces = find_pieces(n, edges, costs, max_cost=limit)
    sets, cost = combine(*_arrays(pieces, edges, n), capacity=10**6, limit=limit)
    found = {}
    for row, price in zip(sets.tolist(), cost.tolist(), strict=True):
        mask = whole
        for piece in row:
            if piece < len(pieces):
                assert mask & pieces[piece].atoms == pieces[piece].atoms
                mask &= ~pieces[piece].atoms
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


def _arrays(pieces, edges, n):
    closed = []
    for piece in pieces:
        mask = piece.atoms
        for bond in piece.bonds:
            mask |= 1 << edges[bond][0] | 1 << edges[bond][1]
        closed.append(mask)
    words = mask_words([piece.atoms for piece in pieces], n)
    labels = label_words([piece.label for piece in pieces])
    together = go_together(words, mask_words(closed, n), labels)
    return together, labels, np.array([piece.cost for piece in pieces], np.int64)


@given(graphs(), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_capacity_keeps_whole_levels_of_cost(graph, capacity):
    n, edges, costs = graph
    arrays = _arrays(find_pieces(n, edges, costs, max_cost=15), edges, n)
    _, every = combine(*arrays, capacity=10**6, limit=15)
    _, kept = combine(*arrays, capacity=capacity, limit=15)
    levels = [level for level in range(16) if (every <= level).sum() <= capacity]
    expected = every[every <= max(levels, default=0)]
    assert kept.tolist() == expected.tolist()


@given(st.lists(st.integers(0, 2**130 - 1), min_size=1, max_size=5))
def test_words_hold_masks_of_more_than_64_atoms(masks):
    bits = unpack_words(mask_words(masks, 130), 130)
    assert bits.shape == (len(masks), 130)
    for mask, row in zip(masks, bits, strict=True):
        assert sum(1 << int(atom) for atom in np.flatnonzero(row)) == mask


@given(st.lists(st.integers(1, 2**90), min_size=2, max_size=5))
def test_labels_of_more_than_64_rings_keep_their_sums(labels):
    total = 0
    for label in labels:
        total ^= label
    words = label_words([*labels, total, 1 << 80])
    assert np.bitwise_xor.reduce(words[:-1]) == 0
    assert len(set(words.tolist())) == len({*labels, total, 1 << 80})
