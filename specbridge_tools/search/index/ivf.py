"""Inverted lists: approximate neighbours in an index larger than the memory, for searching without a mass.

Jégou, Douze & Schmid, IEEE TPAMI 33, 117 (2011). k-means divides the molecules into lists, and a query looks through
those whose centroids are nearest to it. The lists hold the vectors of the index as they are, so that the search in them
is exact, whatever the batch and the number of threads. They are written block by block and read list by list, so that
neither building nor searching has them in memory.

FAISS (Douze et al., arXiv:2401.08281) finds the centroids. Its own lists stay out: it can map them only from a file of
their own, where an index is one file, and its scores depend on processor and batch.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
import types
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError, UsageError
from specbridge_tools.search.index.exact_scores import exact_scores, unit_rows
from specbridge_tools.search.index.format import (
    IVF_CENTROIDS,
    IVF_EMBEDDING,
    IVF_OFFSETS,
    IVF_ROWS,
    Addition,
    IndexFileWriter,
)
from specbridge_tools.search.index.molecule_rows import Rows
from specbridge_tools.search.index.raw_columns import Column
from specbridge_tools.search.index.reader import Index, IvfColumns
from specbridge_tools.threads import blas_threads, one_blas_thread

_SAMPLE = 40  # molecules a list that k-means sees
_ITERATIONS = 10  # of k-means, as many as FAISS takes for its own lists
_BLOCK_VALUES = 1 << 22
# scores that the queries of a batch may hold together before the worst are dropped
_SCORES_HELD = 1 << 22
_ADVICE = "copy or build the index again"


@dataclasses.dataclass(frozen=True)
class IvfOptions:
    """How to make inverted lists.

    Attributes:
        lists: how many, None for twice the square root of the number of molecules.
        threads: to build with; they do not change the lists.
    """

    lists: int | None = None
    threads: int = 1

    def addition(
        self, blocks: Iterable[Rows], folder: Path, *, n: int, dimension: int, dtype: np.dtype[np.floating]
    ) -> Addition:
        """The columns that the lists of `n` molecules take in an index, to be filled from its vectors."""
        _faiss()
        n_lists = min(self.lists or round(2 * math.sqrt(n)), n)
        columns = {
            IVF_CENTROIDS: ((n_lists, dimension), dtype.newbyteorder("<")),
            IVF_OFFSETS: ((n_lists + 1,), np.dtype("<i8")),
            IVF_ROWS: ((n,), np.dtype("<i8")),
            IVF_EMBEDDING: ((n, dimension), dtype.newbyteorder("<")),
        }
        fill = functools.partial(_fill, n_lists=n_lists, threads=self.threads)
        return Addition(columns, {IVF_CENTROIDS: {"lists": n_lists}}, fill)


class InvertedLists:
    """The inverted lists of an open index; a search looks through the `nprobe` lists that are nearest to a query."""

    def __init__(self, columns: IvfColumns, *, name: str, n: int, nprobe: int) -> None:
        self._columns = columns
        self._name = name
        self._n = n
        self._centroids = columns.centroids.read(0, len(columns.centroids)).astype(np.float64)
        self._offsets = columns.offsets.read(0, len(columns.offsets))
        whole = self._offsets[0] == 0 and self._offsets[-1] == n and (np.diff(self._offsets) >= 0).all()
        if not whole or not np.isfinite(self._centroids).all():
            raise self._broken()
        self.nprobe = min(nprobe, len(self._centroids))

    def search(self, vectors: NDArray[np.float64], top: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """Yield the `top` best molecules of each query, fewer where its lists hold fewer.

        Args:
            vectors: (m, d), on the grid of `search.index.exact_scores`.
            top: how many; of equal scores the lower row comes first.

        Yields:
            Rows (k,) ascending, and their scores (k,).

        Raises:
            FormatError: The lists name rows that do not exist.
        """
        most = max(2 * top, _SCORES_HELD // max(1, len(vectors)))
        shortlists = [_Shortlist(top, most) for _ in vectors]
        # the products are small: to wait for other threads takes longer than they do
        with one_blas_thread():
            for number, queries in self._queries_of_lists(vectors):
                for rows, embedding in self._postings(number):
                    scores = np.ascontiguousarray(exact_scores(embedding, vectors[queries]).T)
                    for query, query_scores in zip(queries.tolist(), scores, strict=True):
                        shortlists[query].offer(rows, query_scores)
        for shortlist in shortlists:
            yield shortlist.best()

    def _queries_of_lists(self, vectors: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield each list that a query looks through, and the queries that do; so a list is read once a batch."""
        order = np.argsort(-exact_scores(vectors, self._centroids), axis=1, kind="stable")
        nearest = order[:, : self.nprobe].reshape(-1)
        by_list = np.argsort(nearest, kind="stable")
        for same in np.split(by_list, np.flatnonzero(np.diff(nearest[by_list])) + 1):
            yield int(nearest[same[0]]), same // self.nprobe

    def _postings(self, number: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.floating]]]:
        """Yield the rows (m,) and vectors (m, d) of a list, block by block."""
        stop = int(self._offsets[number + 1])
        n_rows = max(1, _BLOCK_VALUES // self._centroids.shape[1])
        for low in range(int(self._offsets[number]), stop, n_rows):
            high = min(low + n_rows, stop)
            rows = self._columns.rows.read(low, high)
            if rows.min() < 0 or rows.max() >= self._n:
                raise self._broken()
            yield rows, self._columns.embedding.read(low, high)

    def _broken(self) -> FormatError:
        return FormatError("its inverted lists are broken", where=self._name, advice=_ADVICE)


def load_ivf(index: Index, *, nprobe: int) -> InvertedLists:
    """The inverted lists of an open index that has some; raises `FormatError` where they are broken."""
    if index.ivf is None:
        raise UsageError("has no inverted lists", where=index.name, advice="build the index again with --ivf")
    return InvertedLists(index.ivf, name=index.name, n=index.n, nprobe=nprobe)


class _Shortlist:
    """The best `top` of the rows that were offered, in memory for `most` of them."""

    def __init__(self, top: int, most: int) -> None:
        self._top = top
        self._most = most
        self._n = 0
        self._rows: list[NDArray[np.int64]] = []
        self._scores: list[NDArray[np.float64]] = []

    def offer(self, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
        self._rows.append(rows)
        self._scores.append(scores)
        self._n += len(rows)
        if self._n > self._most:
            rows, scores = self.best()
            self._rows, self._scores, self._n = [rows], [scores], len(rows)

    def best(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows, ascending, and their scores."""
        rows, scores = np.concatenate(self._rows), np.concatenate(self._scores)
        if len(rows) > self._top:
            least = np.partition(scores, len(scores) - self._top)[len(scores) - self._top]
            good = np.flatnonzero(scores >= least)
            good = good[np.lexsort((rows[good], -scores[good]))[: self._top]]
            rows, scores = rows[good], scores[good]
        order = np.argsort(rows)
        return rows[order], scores[order]


def _fill(file: IndexFileWriter, *, n_lists: int, threads: int) -> None:
    """Find the lists of all vectors in an index file that is being written, and write them; two passes."""
    with blas_threads(threads):
        centroids = _centroids(file.embedding, n_lists)
        list_of = _nearest_centroids(file.embedding, centroids)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(list_of, minlength=n_lists))])
    file.put(IVF_CENTROIDS, 0, centroids)
    file.put(IVF_OFFSETS, 0, offsets.astype("<i8"))
    free = offsets[:-1].copy()
    for start, vectors in _blocks(file.embedding, file.embedding.shape[1]):
        order = np.argsort(list_of[start : start + len(vectors)], kind="stable")
        lists = list_of[start + order]
        for rows in np.split(order, np.flatnonzero(np.diff(lists)) + 1):
            number = list_of[start + rows[0]]
            file.put(IVF_ROWS, int(free[number]), (start + rows).astype("<i8"))
            file.put(IVF_EMBEDDING, int(free[number]), vectors[rows])
            free[number] += len(rows)


def _centroids(embedding: Column[np.floating], n_lists: int) -> NDArray[np.floating]:
    """Unit vectors (n_lists, d) on the grid. In one thread: sums of several would depend on their number."""
    faiss = _faiss()
    sample = _sample(embedding, _SAMPLE * n_lists)
    settings = {"niter": _ITERATIONS, "spherical": True, "min_points_per_centroid": 1}
    kmeans = faiss.Kmeans(sample.shape[1], n_lists, **settings)
    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        kmeans.train(sample)
    finally:
        faiss.omp_set_num_threads(n_threads)
    return unit_rows(kmeans.centroids, sample.dtype)


def _nearest_centroids(embedding: Column[np.floating], centroids: NDArray[np.floating]) -> NDArray[np.int64]:
    """The list of each row, (n,)."""
    exact = centroids.astype(np.float64)
    width = max(exact.shape)
    nearest = [exact_scores(vectors, exact).argmax(axis=1) for _, vectors in _blocks(embedding, width)]
    return np.concatenate(nearest)


def _sample(embedding: Column[np.floating], size: int) -> NDArray[np.floating]:
    """About `size` vectors, evenly over the masses."""
    rows = np.unique(np.linspace(0, len(embedding) - 1, size).astype(np.int64))
    picked = [
        vectors[rows[(rows >= start) & (rows < start + len(vectors))] - start]
        for start, vectors in _blocks(embedding, embedding.shape[1])
    ]
    return np.concatenate(picked)


def _blocks(embedding: Column[np.floating], width: int) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """Yield the first row of a block and its vectors (m, d); with `width` values a row a block has a fixed size."""
    n_rows = max(1, _BLOCK_VALUES // width)
    for start in range(0, len(embedding), n_rows):
        yield start, embedding.read(start, min(start + n_rows, len(embedding)))


def _faiss() -> types.ModuleType:
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it logs which instructions its build uses
    try:
        import faiss
    except ImportError as error:
        advice = "pip install 'specbridge_tools[ivf]', or leave --ivf out"
        raise UsageError("inverted lists are built with faiss-cpu, which is not installed", advice=advice) from error
    return faiss
