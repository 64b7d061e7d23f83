"""Groups of molecules that must not be parted, and folds made of whole groups."""

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from specbridge_tools.errors import DataError

CLUSTER_THRESHOLD = 0.6
FINGERPRINT_RADIUS = 2
FINGERPRINT_BITS = 4096
GROUPINGS = ("structure", "scaffold", "molecule", "record")
_PAIRS_AT_ONCE = 1_000_000
# a group above this share of the smallest fold would make up too much of it
_LARGE_GROUP = 0.1


def group_molecules(smiles, by, *, threshold=CLUSTER_THRESHOLD):
    """Canonical SMILES of n molecules, each once -> (n,) int64 group numbers, counted from 0 by first appearance.

    by  `structure`: single-linkage clusters at a Tanimoto similarity of `threshold` or more;
        `scaffold`: one group per Bemis-Murcko scaffold, molecules without a ring together;
        `molecule`: each its own group.
    """
    if by == "molecule":
        return np.arange(len(smiles))
    if by not in ("structure", "scaffold"):
        raise ValueError(f"no grouping {by!r}")
    from specbridge_tools.molecules import chemistry

    if by == "structure":
        bits = chemistry.morgan_counts(smiles, radius=FINGERPRINT_RADIUS, bits=FINGERPRINT_BITS, counts=False)
        return single_linkage(bits, threshold)
    return first_appearance([chemistry.scaffold(text) for text in smiles])


def single_linkage(bits, threshold=CLUSTER_THRESHOLD):
    """Clusters whose members are joined by chains of pairs with a Tanimoto similarity >= threshold.

    bits (n, b) sparse of 0 and 1, threshold in (0, 1] -> (n,) int64 cluster numbers by first appearance. Compares all
    pairs whose numbers of bits allow the similarity, a block at a time, so that memory stays bounded. A row without
    bits is like no other.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold {threshold} is not in (0, 1]")
    bits = sparse.csr_matrix(bits, dtype=np.float32)
    counts = np.diff(bits.indptr)
    order = np.argsort(counts, kind="stable")
    bits, counts = bits[order], counts[order].astype(np.float64)
    columns = bits.T.tocsc()
    labels = np.arange(len(order))
    # sorted by number of bits: partners have at most counts / threshold of them
    reach = np.searchsorted(counts, counts / threshold + 1e-9, side="right")
    start = 0
    while start < len(order):
        pairs = (reach[start:] - start) * np.arange(1, len(order) - start + 1)
        stop = start + max(1, int(np.searchsorted(pairs, _PAIRS_AT_ONCE, side="right")))
        window = (start, stop, reach[stop - 1])
        labels = _join(labels, *_similar_pairs(bits, columns, counts, window, threshold))
        start = stop
    original = np.empty(len(order), np.int64)
    original[order] = labels
    return first_appearance(original)


def _similar_pairs(bits, columns, counts, window, threshold):
    start, stop, reach = window
    shared = (bits[start:stop] @ columns[:, start:reach]).tocoo()
    first, second = shared.row + start, shared.col + start
    union = counts[first] + counts[second] - shared.data
    similar = shared.data + 1e-6 >= threshold * union
    return first[similar], second[similar]


def _join(labels, first, second):
    n = len(labels)
    edges = sparse.coo_matrix((np.ones(len(first), bool), (labels[first], labels[second])), shape=(n, n))
    return connected_components(edges, directed=False)[1][labels]


def first_appearance(values):
    """Any hashable values -> (n,) int64: equal values share a number, numbers count up by first appearance."""
    numbers = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in np.asarray(values).tolist()], np.int64)


def assign_folds(inchikey14s, groups, fractions, seed=0):
    """Give each spectrum a fold, whole groups together, with numbers of spectra close to `fractions`.

    inchikey14s (n,) one per spectrum; groups (n,) its group; fractions of the folds, > 0, scaled to sum to 1
    -> (n,) int64 fold numbers. Groups above a tenth of the smallest fold go, largest first, where most room is left
    (few big clusters would make a poor test set); the others in random order, each to a fold drawn in proportion to
    the room left in it. Every fold gets at least one group. Raises `DataError` where there are fewer groups than
    folds, or where a molecule stands in two groups.
    """
    group = first_appearance(groups)
    sizes = np.bincount(group) if len(group) else np.zeros(0, np.int64)
    _check_groups(inchikey14s, group, len(fractions))
    fractions = np.asarray(fractions, np.float64)
    if not (fractions > 0).all():
        raise ValueError("fractions must be above 0")
    room = fractions / fractions.sum() * sizes.sum()
    large = sizes > _LARGE_GROUP * room.min()
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(sizes))
    order = [*sorted(shuffled[large[shuffled]], key=lambda group: -sizes[group]), *shuffled[~large[shuffled]]]
    fold_of = np.full(len(sizes), -1)
    n_in = np.zeros(len(fractions), np.int64)
    for done, number in enumerate(order):
        free = room.copy()
        if len(order) - done <= (n_in == 0).sum():
            free[n_in > 0] = -np.inf
        fold = _draw_fold(free, large[number], random)
        fold_of[number] = fold
        room[fold] -= sizes[number]
        n_in[fold] += 1
    return fold_of[group]


def _draw_fold(free, is_large, random):
    chance = np.clip(free, 0, None)
    if is_large or chance.sum() <= 0:
        return int(np.argmax(free))
    return int(random.choice(len(free), p=chance / chance.sum()))


def _check_groups(inchikey14s, group, n_folds):
    if len(inchikey14s) != len(group):
        raise ValueError(f"{len(inchikey14s)} molecules but {len(group)} groups")
    n_groups = group.max() + 1 if len(group) else 0
    if n_groups < n_folds:
        raise DataError(f"{n_groups} groups of molecules cannot fill {n_folds} parts", advice="ask for fewer parts")
    home = {}
    for key, number in zip(inchikey14s, group.tolist(), strict=True):
        if home.setdefault(key, number) != number:
            raise DataError(f"molecule {key} stands in two groups")
