"""Searching the whole index, whatever the mass: exactly, block by block, or by its graph or inverted lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.search.candidates.ranking import first_of_each
from specbridge_tools.search.candidates.retrieve import Candidates, of_rows, scores_of_rows
from specbridge_tools.search.index.exact_scores import exact_scores
from specbridge_tools.search.index.ivf import InvertedLists
from specbridge_tools.search.index.reader import Index

if TYPE_CHECKING:
    import hnswlib

    from specbridge_tools.search.candidates.query import Query

_BLOCK_ROWS = 8192


def exhaustive(index: Index, queries: Sequence[Query], top: int) -> Iterator[Candidates]:
    """Yield, for each query, its `top` best candidates of the whole index (0: all of them), exactly."""
    # all of the index for all of a batch would be too much: one query at a time
    for group in filter(None, [queries] if top else [[query] for query in queries]):
        shortlists = [_Best(top) for _ in group]
        vectors = np.stack([query.vector for query in group])
        for low in range(0, index.n, _BLOCK_ROWS):
            high = min(low + _BLOCK_ROWS, index.n)
            keys = index.inchikey14.read(low, high)
            scores = exact_scores(index.embedding.read(low, high), vectors)
            for shortlist, column in zip(shortlists, scores.T, strict=True):
                shortlist.offer(low, keys, column)
        for query, shortlist in zip(group, shortlists, strict=True):
            order = np.argsort(shortlist.row)
            yield _candidates(index, query, shortlist.row[order], shortlist.score[order])


def by_graph(
    index: Index, graph: hnswlib.Index, queries: Sequence[Query], top: int, *, threads: int
) -> Iterator[Candidates]:
    """Yield, for each query, `top` candidates that the graph leads to, scored exactly.

    Raises:
        DataError: The graph leads to fewer.
    """
    if not queries:
        return
    vectors = np.stack([query.vector for query in queries]).astype("f4")
    try:
        labels, _ = graph.knn_query(vectors, k=min(top, index.n), num_threads=threads)
    except RuntimeError as error:
        advice = "raise --hnsw-ef, or search with --exact"
        raise DataError(f"the graph leads to fewer than {top} molecules", where=index.name, advice=advice) from error
    for query, query_labels in zip(queries, labels, strict=True):
        rows = np.sort(query_labels.astype(np.int64))
        yield _candidates(index, query, rows, scores_of_rows(index, query, rows))


def by_ivf(index: Index, lists: InvertedLists, queries: Sequence[Query], top: int) -> Iterator[Candidates]:
    """Yield, for each query, the `top` best candidates of the inverted lists that are nearest to it.

    Raises:
        DataError: These lists hold fewer.
        FormatError: The lists are broken.
    """
    if not queries:
        return
    top = min(top, index.n)
    for query, (rows, scores) in zip(queries, lists.search(np.stack([q.vector for q in queries]), top), strict=True):
        if len(rows) < top:
            advice = "raise --ivf-probes, or search with --exact"
            raise DataError(f"the lists hold fewer than {top} molecules", where=index.name, advice=advice)
        yield _candidates(index, query, rows, scores)


def _candidates(index: Index, query: Query, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> Candidates:
    """Without a mass no hypothesis is better than another: the adduct is given only where there is but one."""
    candidates = of_rows(index, query, rows, scores)
    return candidates if len(query.adducts) == 1 else candidates.without_adduct()


class _Best:
    """The best `top` molecules so far (0: all), one row for each InChIKey block, ties by it."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._least = -np.inf
        self.row = np.zeros(0, np.int64)
        self.score = np.zeros(0)
        self._key = np.zeros(0, "S14")

    def offer(self, low: int, keys: NDArray[np.bytes_], scores: NDArray[np.float64]) -> None:
        """Consider the rows from `low` on."""
        better = np.flatnonzero(scores >= self._least)
        if not len(better):
            return
        row = np.concatenate([self.row, low + better])
        score = np.concatenate([self.score, scores[better]])
        key = np.concatenate([self._key, keys[better]])
        order = np.lexsort((row, key, -score))
        order = order[first_of_each(key[order])][: self._top or None]
        self.row, self.score, self._key = row[order], score[order], key[order]
        if len(order) == self._top:
            self._least = self.score[-1]
