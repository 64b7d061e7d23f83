"""Searching the whole index, whatever the mass: exactly, block by block, or by its graph or IVF lists."""

import numpy as np

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.hits.ranking import first_of_each
from specbridge_tools.search.candidates.retrieve import Candidates, of_rows, scores_of_rows
from specbridge_tools.search.index.exact_scores import exact_scores

_BLOCK_ROWS = 8192


def exhaustive(index, queries, top):
    """Yield, for each query, its `top` best `Candidates` of the whole index (0: all of them), exactly."""
    # all of the index for all of a batch would be too much: one query at a time
    for group in filter(None, [queries] if top else [[query] for query in queries]):
        best = [_Best(top) for _ in group]
        vectors = np.stack([query.vector for query in group])
        for low in range(0, index.n, _BLOCK_ROWS):
            high = min(low + _BLOCK_ROWS, index.n)
            keys = index.inchikey14.read(low, high)
            scores = exact_scores(index.embedding.read(low, high), vectors)
            for found, column in zip(best, scores.T, strict=True):
                found.offer(low, keys, column)
        for query, found in zip(group, best, strict=True):
            order = np.argsort(found.row)
            yield _candidates(index, query, found.row[order], found.score[order])


def by_graph(index, graph, queries, top, *, threads):
    """Yield, for each query, `top` `Candidates` that the graph leads to, scored exactly.

    Raises `DataError` where the graph does not lead to as many.
    """
    if not queries:
        return
    vectors = np.stack([query.vector for query in queries]).astype("f4")
    try:
        labels, _ = graph.knn_query(vectors, k=min(top, index.n), num_threads=threads)
    except RuntimeError as error:
        advice = "raise --hnsw-ef, or search with --exact"
        raise DataError(f"the graph leads to fewer than {top} molecules", where=index.name, advice=advice) from error
    for query, found in zip(queries, labels, strict=True):
        yield _scored(index, query, found.astype(np.int64))


def by_ivf(index, lists, queries, top):
    """Yield, for each query, the `top` best `Candidates` of the lists that are nearest to it, scored exactly.

    Raises `DataError` where these lists hold fewer, and `FormatError` where they name rows that there are not.
    """
    if not queries:
        return
    vectors = np.stack([query.vector for query in queries]).astype("f4")
    _, found = lists.search(vectors, min(top, index.n))
    if found.max() >= index.n:
        raise FormatError("the IVF lists are broken", where=index.name, advice="build the index again")
    if found.min() < 0:
        advice = "raise --ivf-probes, or search with --exact"
        raise DataError(f"the lists hold fewer than {top} molecules", where=index.name, advice=advice)
    for query, rows in zip(queries, found, strict=True):
        yield _scored(index, query, rows)


def _scored(index, query, rows):
    rows = np.sort(rows)
    return _candidates(index, query, rows, scores_of_rows(index, query, rows))


def _candidates(index, query, rows, scores):
    """Without a mass no hypothesis is better than another: the adduct stands only where there is but one."""
    found = of_rows(index, query, rows, scores)
    if len(query.adducts) == 1:
        return found
    none = np.full(len(rows), -1)
    return Candidates(found.row, found.inchikey14, found.exact_mass, found.score, none, np.full(len(rows), np.nan))


class _Best:
    """The best `top` molecules so far (0: all), one row for each InChIKey block, ties by it."""

    def __init__(self, top):
        self._top = top
        self._least = -np.inf
        self.row = np.zeros(0, np.int64)
        self.score = np.zeros(0)
        self._key = np.zeros(0, "S14")

    def offer(self, low, keys, scores):
        """Rows from `low` on."""
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
