"""Fragments as a molecule less a few of its pieces.

A fragment here is a connected part of the molecule. Each part that was removed hung on it by one bond, or by two bonds
of a ring. Such a set of pieces is unique to its fragment, so no fragment is found twice. The pieces of a set neither
overlap nor touch, and no exclusive or of the labels of its ring pieces is 0: otherwise the bonds behind these labels
would split the molecule, and leave two fragments instead of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_PIECES = 4
_WORD = 64
_ALL = 2**_WORD - 1


def mask_words(masks: Sequence[int], n_atoms: int) -> NDArray[np.uint64]:
    """Bit masks of atoms as (n, words): 64 atoms a word, the lowest first."""
    if n_atoms <= _WORD:
        return np.array(masks, np.uint64)[:, None]
    n_bytes = 8 * -(-n_atoms // _WORD)
    packed = b"".join(mask.to_bytes(n_bytes, "little") for mask in masks)
    return np.frombuffer(packed, "<u8").reshape(len(masks), n_bytes // 8)


def unpack_words(words: NDArray[np.uint64], n_atoms: int) -> NDArray[np.bool_]:
    """The inverse of `mask_words`: (n, n_atoms)."""
    as_bytes = np.ascontiguousarray(words, "<u8").view(np.uint8)
    return np.unpackbits(as_bytes, axis=1, count=n_atoms, bitorder="little").astype(bool)


def label_words(labels: Sequence[int]) -> NDArray[np.uint64]:
    """Labels of any size as 64-bit words (k,).

    Labels that all fit are kept. Otherwise each bit stands for a fixed random number, and a label becomes the exclusive
    or of the numbers of its bits: combinations that are 0 stay 0, and any other becomes 0 with probability 2^-64.
    """
    if max(labels, default=0) <= _ALL:
        return np.array(labels, np.uint64)
    return np.array([_scrambled_bits(label) for label in labels], np.uint64)


def _scrambled_bits(label: int) -> int:
    word = 0
    while label:
        lowest = label & -label
        word ^= _scrambled(lowest.bit_length())
        label ^= lowest
    return word


def _scrambled(number: int) -> int:
    # the finaliser of splitmix64
    z = number * 0x9E3779B97F4A7C15 & _ALL
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _ALL
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _ALL
    return z ^ z >> 31


def go_together(atoms: NDArray[np.uint64], closed: NDArray[np.uint64], labels: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Find the pairs of pieces that may be removed from the same molecule.

    Args:
        atoms: (k, words) the pieces.
        closed: (k, words) the pieces with their neighbouring atoms.
        labels: (k,) of the pieces.

    Returns:
        (k, k), whether a pair may.
    """
    apart = (labels[:, None] != labels) | (labels[:, None] == 0)
    for word in range(atoms.shape[1]):
        apart &= (closed[:, word, None] & atoms[:, word]) == 0
    return apart


def combine(
    together: NDArray[np.bool_], labels: NDArray[np.uint64], cost: NDArray[np.int64], *, capacity: int, limit: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the sets of at most `MAX_PIECES` pieces, cheapest first.

    Args:
        together: (k, k) as `go_together` finds them.
        labels: (k,) of the pieces.
        cost: (k,) of the pieces, ascending.
        capacity: The number of sets, with the empty one (the whole molecule), from which the limit is lowered.
        limit: The highest cost of a set; lowered to the highest cost up to which there are at most `capacity` sets.

    Returns:
        Sets (f, MAX_PIECES), the pieces ascending and then k as a filler, and their costs (f,), ascending.
    """
    k = len(cost)
    upper = together & (np.arange(k)[:, None] < np.arange(k))
    level = np.full((1, MAX_PIECES), k, np.int32)
    level_cost = np.zeros(1, np.int64)
    allowed = np.ones((1, k), bool)
    levels, costs = [level], [level_cost]
    counts = np.zeros(limit + 1, np.int64)
    counts[0] = 1
    for depth in range(MAX_PIECES):
        row, piece = _affordable(allowed, cost, limit - level_cost)
        if depth > 1:
            connected = _leaves_one_part(labels, level[:, :depth], row, piece)
            row, piece = row[connected], piece[connected]
        level_cost = level_cost[row] + cost[piece]
        counts += np.bincount(level_cost, minlength=len(counts))
        limit = _fitting_limit(counts, capacity, limit)
        affordable = level_cost <= limit
        row, piece, level_cost = row[affordable], piece[affordable], level_cost[affordable]
        level = level[row]
        level[:, depth] = piece
        levels.append(level)
        costs.append(level_cost)
        # a set is extended only where a piece after its last one, which costs no less, can be afforded
        (extended,) = (level_cost + cost[piece] <= limit).nonzero()
        if not len(extended):
            break
        allowed = allowed[row[extended]] & upper[piece[extended]]
        level, level_cost = level[extended], level_cost[extended]
    sets, set_cost = np.concatenate(levels), np.concatenate(costs)
    order = set_cost.argsort(kind="stable")
    order = order[: set_cost[order].searchsorted(limit, side="right")]
    return sets[order], set_cost[order]


def _affordable(
    allowed: NDArray[np.bool_], cost: NDArray[np.int64], budget: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the pieces that may be added to each set (r, k) and cost at most its budget (r,)."""
    room = cost.searchsorted(budget, side="right")
    width = max(1, int(room.max(initial=0)))
    # of a flat array: much faster than rows and columns at once
    (cell,) = (allowed[:, :width] & (np.arange(width) < room[:, None])).ravel().nonzero()
    row = cell // width
    return row, cell - row * width


def _leaves_one_part(
    labels: NDArray[np.uint64], taken: NDArray[np.int32], row: NDArray[np.int64], piece: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether (r,) no exclusive or of the labels of a set's pieces is the label of the piece that is added to it.

    Args:
        labels: (k,) of all pieces.
        taken: (s, d) the pieces of each set.
        row: (r,) the set that is extended.
        piece: (r,) the piece that is added; its label is not that of any one piece of the set.
    """
    added = labels[piece]
    fits = np.ones(len(piece), bool)
    (ring,) = added.nonzero()
    row, added = row[ring], added[ring]
    taken_labels = labels[taken]
    for size in range(2, taken.shape[1] + 1):
        for columns in itertools.combinations(range(taken.shape[1]), size):
            fits[ring] &= np.bitwise_xor.reduce(taken_labels[:, columns], axis=1)[row] != added
    return fits


def _fitting_limit(counts: NDArray[np.int64], capacity: int, limit: int) -> int:
    return max(0, int(counts[: limit + 1].cumsum().searchsorted(capacity, side="right")) - 1)
