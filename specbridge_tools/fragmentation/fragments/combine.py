"""Fragments as a molecule less a few of its pieces.

A fragment here is a connected part of the molecule such that each part that was taken off hung on it by one bond, or
by two bonds of a ring. Such a set of pieces is unique to its fragment, so none is met twice: the pieces neither overlap
nor touch, and no exclusive or of labels of ring pieces among them is 0, for then the bonds behind the labels would part
the molecule, and what is left would be no fragment but two.
"""

import itertools

import numpy as np

MAX_PIECES = 4
_WORD = 64
_ALL = 2**_WORD - 1


def mask_words(masks, n_atoms):
    """Python ints -> (n, words) uint64, 64 atoms a word, lowest first."""
    if n_atoms <= _WORD:
        return np.array(masks, np.uint64)[:, None]
    n_bytes = 8 * -(-n_atoms // _WORD)
    joined = b"".join(mask.to_bytes(n_bytes, "little") for mask in masks)
    return np.frombuffer(joined, "<u8").reshape(len(masks), n_bytes // 8)


def unpack_words(words, n_atoms):
    """(n, words) uint64 -> (n, n_atoms) bool."""
    as_bytes = np.ascontiguousarray(words, "<u8").view(np.uint8)
    return np.unpackbits(as_bytes, axis=1, count=n_atoms, bitorder="little").astype(bool)


def label_words(labels):
    """Labels, Python ints of any size -> (k,) uint64.

    Where all fit they stay as they are; else each bit stands for a fixed number, and a label becomes the exclusive or
    of the numbers of its bits, so that sums that are 0 stay 0; others become 0 with a chance of 2^-64.
    """
    if max(labels, default=0) <= _ALL:
        return np.array(labels, np.uint64)
    return np.array([_scrambled_bits(label) for label in labels], np.uint64)


def _scrambled_bits(label):
    word = 0
    while label:
        lowest = label & -label
        word ^= _scrambled(lowest.bit_length())
        label ^= lowest
    return word


def _scrambled(number):
    # the finaliser of splitmix64
    z = number * 0x9E3779B97F4A7C15 & _ALL
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & _ALL
    z = (z ^ z >> 27) * 0x94D049BB133111EB & _ALL
    return z ^ z >> 31


def go_together(atoms, closed, labels):
    """(k, k) bool: pairs of pieces that may be taken off the same molecule.

    atoms, closed (k, words) uint64: the pieces, and the pieces with the atoms beside them; labels (k,) uint64.
    """
    apart = (labels[:, None] != labels) | (labels[:, None] == 0)
    for word in range(atoms.shape[1]):
        apart &= (closed[:, word, None] & atoms[:, word]) == 0
    return apart


def combine(together, labels, cost, *, capacity, limit):
    """Sets of at most `MAX_PIECES` pieces, cheapest first.

    together (k, k) bool, labels (k,) uint64, cost (k,) int64 ascending. Sets cost <= `limit`, or <= the highest cost
    up to which there are at most `capacity` of them, the whole molecule (the empty set) among them. Returns
    (f, MAX_PIECES) int32, the pieces ascending and then k as a filler, and costs (f,) int64 ascending.
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
        kept = level_cost <= limit
        row, piece, level_cost = row[kept], piece[kept], level_cost[kept]
        level = level[row]
        level[:, depth] = piece
        levels.append(level)
        costs.append(level_cost)
        # a set goes on only where a piece behind its last one, no cheaper than that, can be afforded
        (extended,) = (level_cost + cost[piece] <= limit).nonzero()
        if not len(extended):
            break
        allowed = allowed[row[extended]] & upper[piece[extended]]
        level, level_cost = level[extended], level_cost[extended]
    every, every_cost = np.concatenate(levels), np.concatenate(costs)
    order = every_cost.argsort(kind="stable")
    order = order[: every_cost[order].searchsorted(limit, side="right")]
    return every[order], every_cost[order]


def _affordable(allowed, cost, budget):
    """Rows and columns of the pieces that may be added to each set, (r, k) bool, and cost at most its budget, (r,)."""
    room = cost.searchsorted(budget, side="right")
    width = max(1, int(room.max(initial=0)))
    # of a flat array: much faster than rows and columns at once
    (found,) = (allowed[:, :width] & (np.arange(width) < room[:, None])).ravel().nonzero()
    row = found // width
    return row, found - row * width


def _leaves_one_part(labels, taken, row, piece):
    """(r,) bool: no exclusive or of labels of the pieces taken, (s, d), is the label of the piece that a row adds.

    row, piece (r,): the set and its next piece, whose label is not that of any one taken.
    """
    added = labels[piece]
    fits = np.ones(len(piece), bool)
    (ring,) = added.nonzero()
    row, added = row[ring], added[ring]
    taken = labels[taken]
    for size in range(2, taken.shape[1] + 1):
        for columns in itertools.combinations(range(taken.shape[1]), size):
            fits[ring] &= np.bitwise_xor.reduce(taken[:, columns], axis=1)[row] != added
    return fits


def _fitting_limit(counts, capacity, limit):
    return max(0, int(counts[: limit + 1].cumsum().searchsorted(capacity, side="right")) - 1)
