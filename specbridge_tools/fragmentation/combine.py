"""Fragments as a molecule less a few of its pieces.

A fragment here is a connected part of the molecule such that each part that was taken off hung on it by one bond, or
by two bonds of a ring. Such a set of pieces is unique to its fragment: pieces neither overlap nor touch, and no two of
them come out of the same ring series (that would part the fragment). So fragments are counted as sets of pieces that
go together pairwise, and none is met twice.
"""

import numpy as np

MAX_PIECES = 4
_WORD = 64


def mask_words(masks, n_atoms):
    """Python ints -> (n, words) uint64, 64 atoms a word, lowest first."""
    n_bytes = 8 * max(1, -(-n_atoms // _WORD))
    joined = b"".join(mask.to_bytes(n_bytes, "little") for mask in masks)
    return np.frombuffer(joined, "<u8").reshape(len(masks), n_bytes // 8)


def unpack_words(words, n_atoms):
    """(n, words) uint64 -> (n, n_atoms) bool."""
    as_bytes = np.ascontiguousarray(words, "<u8").view(np.uint8)
    return np.unpackbits(as_bytes, axis=1, count=n_atoms, bitorder="little").astype(bool)


def go_together(atoms, closed, ring_class):
    """(k, k) bool: pieces that may be taken off the same molecule.

    atoms, closed (k, words) uint64: the pieces, and the pieces with the atoms beside them; ring_class (k,) int.
    """
    apart = np.ones((len(atoms), len(atoms)), bool)
    for word in range(atoms.shape[1]):
        apart &= (closed[:, word, None] & atoms[None, :, word]) == 0
    return apart & ((ring_class[:, None] != ring_class[None, :]) | (ring_class[:, None] == 0))


def combine(together, cost, *, capacity, limit):
    """Sets of at most `MAX_PIECES` pieces, cheapest first.

    together (k, k) bool, cost (k,) int64 ascending. Sets cost <= `limit`, or <= the highest cost up to which there are
    at most `capacity` of them, the whole molecule (the empty set) among them. Returns (f, MAX_PIECES) int32, the pieces
    ascending and then k as a filler, and costs (f,) int64 ascending.
    """
    k = len(cost)
    upper = np.triu(together, 1)
    level = np.full((1, MAX_PIECES), k, np.int32)
    level_cost = np.zeros(1, np.int64)
    allowed = np.ones((1, k), bool)
    levels, costs = [level], [level_cost]
    counts = np.zeros(limit + 1, np.int64)
    counts[0] = 1
    for depth in range(MAX_PIECES):
        if not k or not len(level):
            break
        room = np.searchsorted(cost, limit - level_cost, side="right")
        width = int(room.max(initial=0))
        row, piece = np.nonzero(allowed[:, :width] & (np.arange(width) < room[:, None]))
        level_cost = level_cost[row] + cost[piece]
        counts += np.bincount(level_cost, minlength=len(counts))[: len(counts)]
        limit = _fitting_limit(counts, capacity, limit)
        kept = level_cost <= limit
        row, piece, level_cost = row[kept], piece[kept], level_cost[kept]
        level = level[row]
        level[:, depth] = piece
        allowed = allowed[row] & upper[piece]
        levels.append(level)
        costs.append(level_cost)
    every, every_cost = np.concatenate(levels), np.concatenate(costs)
    order = np.argsort(every_cost, kind="stable")
    order = order[: np.searchsorted(every_cost[order], limit, side="right")]
    return every[order], every_cost[order]


def _fitting_limit(counts, capacity, limit):
    total = np.cumsum(counts[: limit + 1])
    return max(0, int(np.searchsorted(total, capacity, side="right")) - 1)
