"""Groups of molecules that must not be parted, and folds made of whole groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from specbridge_tools.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
SparseMatrix: TypeAlias = Any  # scipy ships no types

CLUSTER_THRESHOLD = 0.6
FINGERPRINT_RADIUS = 2
FINGERPRINT_BITS = 4096
GROUPINGS = ("structure", "scaffold", "molecule", "record")
_PAIRS_AT_ONCE = 1_000_000
# a group above this share of the smallest fold would make up too much of it
_LARGE_GROUP = 0.1


def group_molecules(smiles: Sequence[str], by: str, *, threshold: float = CLUSTER_THRESHOLD) -> Integers:
    """Number the groups of n molecules.

    Args:
        smiles: Canonical, each once.
        by: `structure`: single-linkage clusters at a Tanimoto similarity of `threshold` or more; `scaffold`: one group
            per Bemis-Murcko scaffold, molecules without a ring together; `molecule`: each its own group.
        threshold: In (0, 1].

    Returns:
        (n,) counted from 0 by first appearance.
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


def single_linkage(bits: SparseMatrix, threshold: float = CLUSTER_THRESHOLD) -> Integers:
    """Clusters whose members are joined by chains of pairs with a Tanimoto similarity >= threshold.

    Compares all pairs whose numbers of bits allow the similarity, a block at a time, so that memory stays bounded
    (scipy's single linkage takes all n (n - 1) / 2 distances at once).

    Args:
        bits: (n, b) sparse of 0 and 1; a row without bits is like no other.
        threshold: In (0, 1].

    Returns:
        (n,) cluster numbers by first appearance.
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
        window = (start, stop, int(reach[stop - 1]))
        labels = _join(labels, *_similar_pairs(bits, columns, counts, window, threshold))
        start = stop
    original = np.empty(len(order), np.int64)
    original[order] = labels
    return first_appearance(original)


def _similar_pairs(
    bits: SparseMatrix, columns: SparseMatrix, counts: Floats, window: tuple[int, int, int], threshold: float
) -> tuple[Integers, Integers]:
    """Rows start to stop against rows start to reach -> rows of the similar pairs."""
    start, stop, reach = window
    shared = (bits[start:stop] @ columns[:, start:reach]).tocoo()
    first, second = shared.row + start, shared.col + start
    union = counts[first] + counts[second] - shared.data
    similar = shared.data + 1e-6 >= threshold * union
    return first[similar], second[similar]


def _join(labels: Integers, first: Integers, second: Integers) -> Integers:
    n = len(labels)
    edges = sparse.coo_matrix((np.ones(len(first), bool), (labels[first], labels[second])), shape=(n, n))
    return connected_components(edges, directed=False)[1][labels]


def first_appearance(values: ArrayLike) -> Integers:
    """Number n hashable values: equal ones share a number, numbers count up from 0 by first appearance."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in np.asarray(values).tolist()], np.int64)


def assign_folds(
    inchikey14s: Sequence[str] | NDArray[Any], groups: ArrayLike, fractions: Sequence[float], seed: int = 0
) -> Integers:
    """Give each spectrum a fold, whole groups together, with numbers of spectra close to `fractions`.

    Groups above a tenth of the smallest fold go, largest first, where most room is left (few big clusters would make a
    poor test set); the others go in random order, each to a fold drawn in proportion to the room left in it. Every fold
    gets at least one group.

    Args:
        inchikey14s: (n,) the molecule of each spectrum.
        groups: (n,) its group.
        fractions: Of the folds, above 0, scaled to sum to 1.
        seed: Of the order and the draws.

    Returns:
        (n,) fold numbers.

    Raises:
        DataError: Where there are fewer groups than folds, or a molecule is in two groups.
    """
    group = first_appearance(groups)
    sizes = np.bincount(group) if len(group) else np.zeros(0, np.int64)
    _check_groups(inchikey14s, group, len(fractions))
    shares = np.asarray(fractions, np.float64)
    if not (shares > 0).all():
        raise ValueError("fractions must be above 0")
    room = shares / shares.sum() * sizes.sum()
    is_large = sizes > _LARGE_GROUP * room.min()
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(sizes))
    order = [*sorted(shuffled[is_large[shuffled]], key=lambda number: -sizes[number]), *shuffled[~is_large[shuffled]]]
    fold_of = np.full(len(sizes), -1)
    n_groups_in = np.zeros(len(shares), np.int64)
    for n_assigned, number in enumerate(order):
        free = room.copy()
        if len(order) - n_assigned <= (n_groups_in == 0).sum():
            free[n_groups_in > 0] = -np.inf
        fold = _draw_fold(free, bool(is_large[number]), rng)
        fold_of[number] = fold
        room[fold] -= sizes[number]
        n_groups_in[fold] += 1
    return fold_of[group]


def _draw_fold(free: Floats, is_large: bool, rng: np.random.Generator) -> int:
    chance = np.clip(free, 0, None)
    if is_large or chance.sum() <= 0:
        return int(np.argmax(free))
    return int(rng.choice(len(free), p=chance / chance.sum()))


def _check_groups(inchikey14s: Sequence[str] | NDArray[Any], group: Integers, n_folds: int) -> None:
    if len(inchikey14s) != len(group):
        raise ValueError(f"{len(inchikey14s)} molecules but {len(group)} groups")
    n_groups = group.max() + 1 if len(group) else 0
    if n_groups < n_folds:
        raise DataError(f"{n_groups} groups of molecules cannot fill {n_folds} parts", advice="ask for fewer parts")
    group_of: dict[str, int] = {}
    for key, number in zip(inchikey14s, group.tolist(), strict=True):
        if group_of.setdefault(key, number) != number:
            raise DataError(f"molecule {key} is in two groups")
