"""Fragments as a molecule less a few of its pieces. Compiled loops.

A fragment here is a connected part of the molecule. Such a set of pieces is unique to its fragment, so no fragment is
found twice. The pieces of a set neither overlap nor touch, and no exclusive or of the labels of its ring pieces is 0:
otherwise the bonds behind these labels would split the molecule, and leave two fragments instead of one.

Not in numpy: with one call a step for many molecules at a time, pieces and sets took three times as long.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled
from specbridge_tools.fragmentation.fragments.sizes import MAX_PIECES

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
_Number = TypeVar("_Number", np.float64, np.int64)


@compiled
def combine(
    atoms: Words, closed: Words, labels: Words, cost: Ints, capacity: int, limit: int
) -> tuple[NDArray[np.int32], Ints]:
    """Find the sets of at most `MAX_PIECES` pieces, cheapest first.

    Args:
        atoms: (k, words) the pieces, as `find_pieces` finds them.
        closed: (k, words) the same with their neighbouring atoms.
        labels: (k,) of the pieces.
        cost: (k,) of the pieces, ascending.
        capacity: The number of sets, with the empty one (the whole molecule), from which the limit is lowered.
        limit: The highest cost of a set; lowered to the highest cost up to which there are at most `capacity` sets.

    Returns:
        Sets (f, MAX_PIECES), the pieces ascending and then k as a filler, and their costs (f,), ascending.
    """
    k = len(cost)
    together, partners = _go_together(atoms, closed, labels, cost, limit)
    # of each number of pieces at most `capacity` stay; arrays that grew would be slow
    most = MAX_PIECES * capacity + k + 1
    sets, costs = np.empty((most, MAX_PIECES), np.int32), np.empty(most, np.int64)
    for position in range(MAX_PIECES):
        sets[0, position] = k
    costs[0] = 0
    counts = np.zeros(limit + 1, np.int64)
    counts[0] = n_within = 1  # the sets of each cost; those up to the limit
    begin, end = np.int64(0), np.int64(1)
    for depth in range(MAX_PIECES):
        size = end
        for row in range(begin, end):
            # any piece at first, then those that go with the last one; they cost ever more
            last = sets[row, depth - 1] if depth else k
            for place in range(k):
                piece = partners[last, place]
                if piece == k or costs[row] + cost[piece] > limit:
                    break
                fits = True
                for position in range(depth - 1):
                    fits = fits and together[sets[row, position], piece]
                if not fits or (depth > 1 and labels[piece] != 0 and _splits(labels, sets, row, depth, piece)):
                    continue
                if size == most:
                    size = _keep_within(sets, costs, end, size, limit)
                for position in range(MAX_PIECES):
                    sets[size, position] = sets[row, position]
                sets[size, depth], costs[size] = piece, costs[row] + cost[piece]
                counts[costs[size]] += 1
                n_within += 1
                size += 1
                while n_within > capacity and limit > 0:
                    n_within -= counts[limit]
                    limit -= 1
        begin, end = end, _keep_within(sets, costs, end, size, limit)
    return _by_cost(sets[:end], costs[:end], limit)


@compiled
def _keep_within(sets: NDArray[np.int32], costs: Ints, start: int, stop: int, limit: int) -> int:
    """Of the rows from `start` to `stop` only those that cost at most `limit` stay, one after another; where they end.

    The rows before them are not looked at.
    """
    kept = start
    for row in range(start, stop):
        if costs[row] <= limit:
            for position in range(MAX_PIECES):
                sets[kept, position] = sets[row, position]
            costs[kept] = costs[row]
            kept += 1
    return kept


@compiled
def _go_together(
    atoms: Words, closed: Words, labels: Words, cost: Ints, limit: int
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which pieces behind each one neither overlap nor touch it, nor split the molecule with it, nor cost too much.

    Returns:
        (k, k) whether they do not; and (k + 1, k) those pieces in order, then k and anything, in the last row all of
        them.
    """
    k, n_words = atoms.shape
    together = np.zeros((k, k), np.bool_)
    partners = np.empty((k + 1, k), np.int32)
    for first in range(k):
        partners[k, first] = first
        place = 0
        for second in range(first + 1, k):
            if cost[first] + cost[second] > limit:
                break
            shared = np.uint64(0)
            for word in range(n_words):
                shared |= closed[first, word] & atoms[second, word]
            if shared == 0 and (labels[first] == 0 or labels[first] != labels[second]):
                together[first, second] = True
                partners[first, place] = second
                place += 1
        partners[first, place] = k
    return together, partners


@compiled
def _splits(labels: Words, sets: NDArray[np.int32], row: int, size: int, piece: int) -> bool:
    """Whether a piece's label is the exclusive or of those of two or more pieces of the set in a row."""
    for subset in range(3, 1 << size):
        combined, n_pieces = np.uint64(0), 0
        for position in range(size):
            if subset >> position & 1:
                combined ^= labels[sets[row, position]]
                n_pieces += 1
        if n_pieces > 1 and combined == labels[piece]:
            return True
    return False


@compiled
def _by_cost(sets: NDArray[np.int32], costs: Ints, limit: int) -> tuple[NDArray[np.int32], Ints]:
    """The sets and costs of those that cost at most `limit`, cheapest first, equal ones in their order."""
    place = np.zeros(limit + 2, np.int64)
    for row in range(len(costs)):
        if costs[row] <= limit:
            place[costs[row] + 1] += 1
    for cost in range(limit + 1):
        place[cost + 1] += place[cost]
    size = place[limit + 1]
    sorted_sets, sorted_costs = np.empty((size, MAX_PIECES), np.int32), np.empty(size, np.int64)
    for row in range(len(costs)):
        if costs[row] <= limit:
            new = place[costs[row]]
            place[costs[row]] += 1
            sorted_costs[new] = costs[row]
            for position in range(MAX_PIECES):
                sorted_sets[new, position] = sets[row, position]
    return sorted_sets, sorted_costs


@compiled
def sums(atoms: NDArray[np.bool_], values: Ints) -> Ints:
    """The sums (k,) of the values (n,) of the atoms (k, n)."""
    totals = np.zeros(len(atoms), np.int64)
    for row in range(len(atoms)):
        for atom in range(len(values)):
            totals[row] += atoms[row, atom] * values[atom]
    return totals


@compiled
def what_is_left(whole: _Number, of_pieces: NDArray[_Number], sets: NDArray[np.int32]) -> NDArray[_Number]:
    """What (f,) of a molecule's value is left without each set of pieces, which have the values (k,)."""
    left = np.empty(len(sets), of_pieces.dtype)
    for row in range(len(sets)):
        removed = whole - whole
        for position in range(MAX_PIECES):
            if sets[row, position] < len(of_pieces):
                removed += of_pieces[sets[row, position]]
        left[row] = whole - removed
    return left
