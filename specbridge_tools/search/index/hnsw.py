"""The hnswlib graph: approximate neighbours in the whole index, for searching without a mass.

Malkov & Yashunin, IEEE TPAMI 42, 824 (2020). The graph lies in the index file; to use it, it is copied to a temporary
file, checked against its hash and read into memory (about 4 bytes a value and 8 M bytes a molecule).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specbridge_tools.errors import FormatError, UsageError
from specbridge_tools.search.index.format import GRAPH, Addition
from specbridge_tools.search.index.molecule_rows import Rows
from specbridge_tools.search.index.raw_columns import Column
from specbridge_tools.search.index.reader import Index
from specbridge_tools.temporary import scratch_path

if TYPE_CHECKING:
    import hnswlib

METRICS = ("cosine", "ip")
_COPY_BYTES = 1 << 22


@dataclasses.dataclass(frozen=True)
class GraphOptions:
    """How to build a graph; one seed gives one graph.

    Attributes:
        metric: cosine or ip, which differ only where vectors have no unit norm.
        m: links of a node in a layer.
        ef_construction: candidates kept while linking.
        seed: of the layers.
    """

    metric: str = "cosine"
    m: int = 16
    ef_construction: int = 200
    seed: int = 0

    def addition(
        self, blocks: Iterable[Rows], folder: Path, *, n: int, dimension: int, dtype: np.dtype[np.floating]
    ) -> Addition:
        """Link the `Rows` of `blocks` (n molecules, in index order); the graph, saved in `folder`, as an `Addition`.

        One thread, since the graph of several depends on who comes first.
        """
        path = folder / "graph.bin"
        _link(blocks, path, n, dimension, self)
        attributes: dict[str, str | int] = {"metric": self.metric, "M": self.m, "ef_construction": self.ef_construction}
        attributes |= {"seed": self.seed, "sha256": _sha256(_pieces_of_file(path))}
        columns = {GRAPH: ((os.path.getsize(path),), np.dtype("u1"))}
        return Addition(columns, {GRAPH: attributes}, lambda file: file.copy(GRAPH, path))


def _link(blocks: Iterable[Rows], path: Path, n: int, dimension: int, options: GraphOptions) -> None:
    graph = _new_graph(options.metric, dimension)
    graph.init_index(n, M=options.m, ef_construction=options.ef_construction, random_seed=options.seed)
    row = 0
    for block in blocks:
        labels = range(row, row + len(block))
        graph.add_items(block.vectors.astype("f4"), labels, num_threads=1)
        row += len(block)
    graph.save_index(str(path))


def load_graph(index: Index, *, ef_search: int) -> hnswlib.Index:
    """The graph of an open index that has one, checked.

    Args:
        index: open.
        ef_search: candidates kept while searching.

    Raises:
        FormatError: The bytes are not those that were written.
    """
    if index.graph is None:
        raise UsageError("has no graph", where=index.name, advice="build the index again with --hnsw")
    attributes = index.graph_attributes
    metric = str(attributes.get("metric", ""))
    with scratch_path() as copy:
        if _sha256(_copied(index.graph, copy)) != attributes.get("sha256") or metric not in METRICS:
            raise FormatError("the graph does not match its hash", where=index.name, advice="build the index again")
        graph = _new_graph(metric, index.space.dimension)
        with _graph_errors(index.name):
            graph.load_index(str(copy), max_elements=index.n)
    graph.set_ef(ef_search)
    return graph


def _new_graph(metric: str, dimension: int) -> hnswlib.Index:
    # hnswlib comes as source alone: a machine without a compiler goes without graphs, and with all the rest
    try:
        import hnswlib
    except ImportError as error:
        advice = "pip install 'specbridge_tools[graph]' (compiles it), or search with --exact"
        raise UsageError("graphs need hnswlib, which is not installed", advice=advice) from error
    return hnswlib.Index(space=metric, dim=dimension)


@contextlib.contextmanager
def _graph_errors(name: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        advice = "build the index again"
        raise FormatError(f"the graph cannot be read by this hnswlib ({error})", where=name, advice=advice) from error


def _copied(column: Column[np.uint8], path: Path) -> Iterator[memoryview]:
    with open(path, "xb") as file:
        for start in range(0, len(column), _COPY_BYTES):
            piece = column.read(start, min(start + _COPY_BYTES, len(column))).data
            file.write(piece)
            yield piece


def _pieces_of_file(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(_COPY_BYTES):
            yield piece


def _sha256(pieces: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
