"""Indexes -> one stream of rows in index order, in memory that does not grow with their size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.search.index.molecule_rows import (
    SAME_MASS,
    TEXTS,
    Rows,
    concatenate,
    index_order,
    merge_repeats,
    with_columns,
)
from specbridge_tools.search.index.reader import Index


def merged_rows(indexes: Sequence[Index], *, block_rows: int = 4096, with_embedding: bool = True) -> Iterator[Rows]:
    """Yield blocks of `Rows` from open indexes, in index order, repeats merged; the first index that has one wins.

    A k-way merge by blocks. Only what shares its mass with a repeat is held back, so the memory is that of k blocks of
    `block_rows` rows and of the most molecules of one mass. Without embeddings, `source` and `position` still say where
    each row's vector lies.
    """
    counts = sorted({name for index in indexes for name in index.texts if name not in TEXTS})
    next_row = [0] * len(indexes)
    reached = np.full(len(indexes), -np.inf)
    pool: list[Rows] = []
    while True:
        behind = int(np.argmin(reached))
        if reached[behind] < np.inf:
            low, high = next_row[behind], min(next_row[behind] + block_rows, indexes[behind].n)
            if low < high:
                pool.append(_light_rows(indexes[behind], behind, low, high, counts))
            next_row[behind] = high
            reached[behind] = pool[-1].exact_mass[-1] if high < indexes[behind].n else np.inf
        if not pool:
            return
        waiting = concatenate(pool)
        complete = waiting.exact_mass <= _cut(waiting.exact_mass, float(reached.min()))
        pool = [waiting.take(~complete)] if not complete.all() else []
        if complete.any():
            block = waiting.take(complete)
            block = merge_repeats(block.take(index_order(block)))
            yield _with_embedding(block, indexes) if with_embedding else block


def _cut(exact_mass: NDArray[np.float64], bound: float) -> float:
    """The highest mass up to which no row that is still to come (all of them at or above `bound`) can be a repeat."""
    if bound == np.inf:
        return np.inf
    masses = np.append(np.sort(exact_mass), bound)
    masses = masses[masses <= bound]
    gaps = np.flatnonzero(np.diff(masses) > SAME_MASS)
    return float(masses[gaps[-1]]) if len(gaps) else -np.inf


def _light_rows(index: Index, number: int, low: int, high: int, counts: Sequence[str]) -> Rows:
    """Rows low..high-1 without their vectors; `number` is their source."""
    texts = {}
    for name in index.texts:
        texts[name] = np.empty(high - low, object)
        texts[name][:] = index.texts[name].read(low, high)
    texts = with_columns(texts, counts, high - low)
    position = np.arange(low, high)
    source = np.full(high - low, number)
    return Rows(index.exact_mass.read(low, high), index.inchikey14.read(low, high), texts, source, position)


def _with_embedding(rows: Rows, indexes: Sequence[Index]) -> Rows:
    embedding = np.empty((len(rows), indexes[0].space.dimension), indexes[0].dtype)
    for number in np.unique(rows.source).tolist():
        own = np.flatnonzero(rows.source == number)
        own = own[np.argsort(rows.position[own])]
        embedding[own] = indexes[number].embedding.take(rows.position[own])
    return dataclasses.replace(rows, embedding=embedding)
