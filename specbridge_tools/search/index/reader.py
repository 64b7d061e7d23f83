"""Opening an index file and reading slices of it.

`search.index.format` documents the bytes, `search.index.build` makes a file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from specbridge_tools.embeddings.space import Space
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import Dataset, Hdf5File, open_hdf5
from specbridge_tools.molecules.counts import PREFIX as COUNTS
from specbridge_tools.provenance import Part, sha256_file, sha256_text
from specbridge_tools.search.index.format import (
    DIGEST,
    FORMAT,
    FORMAT_VERSION,
    GRAPH,
    IVF_CENTROIDS,
    IVF_EMBEDDING,
    IVF_OFFSETS,
    IVF_ROWS,
)
from specbridge_tools.search.index.molecule_rows import TEXTS
from specbridge_tools.search.index.raw_columns import Column, TextColumn
from specbridge_tools.streams import display_name, seekable_input

# One mass in so many stays in memory, to find the place of any other with one read.
_STEP = 2048
_ADVICE = "build the index again"
_HOW_TO_BUILD = "sb-build-index makes an index of molecule embeddings"
# FAISS's own bytes, before the lists became columns
_OLD_IVF = "ivf"
_BYTES = "_bytes"


@dataclasses.dataclass(frozen=True)
class IvfColumns:
    """The inverted lists in an index file, as `search.index.format` documents them."""

    centroids: Column[np.floating]
    offsets: Column[np.int64]
    rows: Column[np.int64]
    embedding: Column[np.floating]


class Index:
    """An open index, whose columns are read slice by slice.

    Attributes:
        name: the file, as messages show it.
        space: where its vectors live.
        n: number of molecules.
        dtype: float16 or float32.
        part: the part of a whole that it is, or None.
        exact_mass: (n,), Da, ascending.
        inchikey14: (n,) S14.
        embedding: (n, d).
        texts: the columns of `TEXTS` and those of counts, by name.
        graph: the saved graph's bytes, or None.
        graph_attributes: how the graph was made.
        ivf: the inverted lists, or None.
    """

    def __init__(self, path: str | os.PathLike[str], *, name: str, resources: contextlib.ExitStack) -> None:
        self.name = name
        self._resources = resources
        with open_hdf5(path, name, expected="an index", advice=_HOW_TO_BUILD) as file:
            self._descriptor = os.open(path, os.O_RDONLY)
            resources.callback(os.close, self._descriptor)
            self.space = _checked_space(file, name)
            self.n = file.attribute("n", int)
            self.part = Part.parse(str(file.attributes.get("part", "")))
            self.exact_mass: Column[np.float64] = self._column(file, "exact_mass", "<f8", (self.n,))
            self.inchikey14: Column[np.bytes_] = self._column(file, "inchikey14", "S14", (self.n,))
            self.dtype = np.dtype("f2" if self._dataset(file, "embedding").dtype == np.float16 else "f4")
            self.embedding: Column[np.floating] = self._vectors(file, "embedding", self.n)
            counts = sorted(
                name.removesuffix(_BYTES) for name in file.datasets if name.startswith(COUNTS) and name.endswith(_BYTES)
            )
            self.texts = {text: self._text_column(file, text) for text in (*TEXTS, *counts)}
            self.graph: Column[np.uint8] | None = None
            self.graph_attributes: dict[str, Any] = {}
            if GRAPH in file.datasets:
                graph = file.datasets[GRAPH]
                self.graph = self._column(file, GRAPH, "u1", graph.shape[:1])
                self.graph_attributes = dict(graph.attributes)
            self.ivf = self._ivf_columns(file)
        self._signposts = np.concatenate(
            [np.zeros(0), *(self.exact_mass.read(row, row + 1) for row in range(0, self.n, _STEP))]
        )
        if (self._signposts[1:] < self._signposts[:-1]).any():
            raise FormatError("its molecules are not sorted by mass", where=name, advice=_ADVICE)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self.n

    def close(self) -> None:
        """Close the file; nothing can be read afterwards."""
        self._resources.close()

    def mass_window(self, low: float, high: float) -> tuple[int, NDArray[np.float64]]:
        """The molecules with low <= exact mass <= high (Da): number of the first row, masses (m,) ascending."""
        start = max(0, int(np.searchsorted(self._signposts, low, "left")) - 1) * _STEP
        stop = min(self.n, int(np.searchsorted(self._signposts, high, "right")) * _STEP)
        stretch = self.exact_mass.read(start, max(start, stop))
        if (stretch[1:] < stretch[:-1]).any():
            raise FormatError("its molecules are not sorted by mass", where=self.name, advice=_ADVICE)
        first, end = np.searchsorted(stretch, low, "left"), np.searchsorted(stretch, high, "right")
        return start + int(first), stretch[first : max(first, end)]

    def _dataset(self, file: Hdf5File, name: str) -> Dataset:
        if name not in file.datasets:
            raise FormatError(f"dataset {name} is missing", where=self.name, advice=_ADVICE)
        return file.datasets[name]

    def _column(self, file: Hdf5File, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> Column[Any]:
        dataset, expected = self._dataset(file, name), np.dtype(dtype)
        if dataset.dtype != expected or dataset.shape != shape:
            what = f"dataset {name} is {dataset.dtype} {dataset.shape}, expected {expected} {shape}"
            raise FormatError(what, where=self.name, advice=_ADVICE)
        if dataset.offset is None:
            raise FormatError(f"dataset {name} is not contiguous", where=self.name, advice=_ADVICE)
        return Column(self._descriptor, self.name, offset=dataset.offset, dtype=expected, shape=shape, column=name)

    def _vectors(self, file: Hdf5File, name: str, n: int) -> Column[Any]:
        return self._column(file, name, self.dtype, (n, self.space.dimension))

    def _text_column(self, file: Hdf5File, name: str) -> TextColumn:
        offsets = self._column(file, f"{name}_offsets", "<i8", (self.n + 1,))
        n_bytes = int(offsets.read(self.n, self.n + 1)[0])
        return TextColumn(self._column(file, f"{name}_bytes", "u1", (n_bytes,)), offsets)

    def _ivf_columns(self, file: Hdf5File) -> IvfColumns | None:
        if _OLD_IVF in file.datasets:
            what = "its inverted lists are of an older version, which this release does not read"
            raise FormatError(what, where=self.name, advice="build the index again with --ivf")
        if IVF_CENTROIDS not in file.datasets:
            return None
        n_lists = sum(file.datasets[IVF_CENTROIDS].shape[:1])
        return IvfColumns(
            self._vectors(file, IVF_CENTROIDS, n_lists),
            self._column(file, IVF_OFFSETS, "<i8", (n_lists + 1,)),
            self._column(file, IVF_ROWS, "<i8", (self.n,)),
            self._vectors(file, IVF_EMBEDDING, self.n),
        )


def open_index(source: str | os.PathLike[str]) -> Index:
    """Open an index (path or `-`): a context manager; `close()` does as well.

    Raises:
        DataError: The file cannot be read.
        FormatError: It is not a whole index of this version.
    """
    with contextlib.ExitStack() as resources:
        path = resources.enter_context(seekable_input(source))
        index = Index(path, name=display_name(source), resources=resources)
        resources.pop_all()
    return index


def index_digest(path: str | os.PathLike[str]) -> str:
    """SHA-256 of what an index holds, as it was written when the index was built, so that nothing need be hashed."""
    name = str(path)
    with open_hdf5(path, name, expected="an index", advice=_HOW_TO_BUILD) as file:
        digest = file.datasets.get(DIGEST)
        if digest is None or digest.shape != (1,) or digest.dtype.kind != "S":
            return sha256_file(path)
        graph = str(file.datasets[GRAPH].attributes.get("sha256", "")) if GRAPH in file.datasets else ""
        return sha256_text(digest[:1][0].decode(errors="replace") + graph)


def digest_of_indexes(paths: Iterable[str | os.PathLike[str]]) -> str:
    """`index_digest` of one index; of several one for all, in any order."""
    digests = sorted(index_digest(path) for path in paths)
    return digests[0] if len(digests) == 1 else sha256_text(" ".join(digests))


def _checked_space(file: Hdf5File, name: str) -> Space:
    form, version = file.attributes.get("format"), file.attributes.get("format_version")
    if form != FORMAT:
        what = f"is a {form} file, not an index" if form else "is an HDF5 file, but not an index"
        raise FormatError(what, where=name, advice=_HOW_TO_BUILD)
    if version != FORMAT_VERSION:
        advice = "build it again, or install the release that wrote it"
        raise FormatError(f"index version {version}, this release reads {FORMAT_VERSION}", where=name, advice=advice)
    return Space.of_hdf5(file)
