"""Opening an index file and reading slices of it.

`search.index.format` documents the bytes, `search.index.build` makes a file.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from specbridge_tools.embeddings.space import Space
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import hdf5_errors, open_hdf5
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
        texts: the columns of `TEXTS`, by name.
        graph: the saved graph's bytes, or None.
        graph_attributes: how the graph was made.
        ivf: the inverted lists, or None.
    """

    def __init__(self, path: str | os.PathLike[str], *, name: str, resources: contextlib.ExitStack) -> None:
        self.name = name
        self._resources = resources
        opened = open_hdf5(path, name, expected="an index", advice=_HOW_TO_BUILD)
        with opened as file, hdf5_errors(name):
            self._descriptor = os.open(path, os.O_RDONLY)
            resources.callback(os.close, self._descriptor)
            self.space = _checked_space(file, name)
            self.n = int(file.attrs.get("n", 0))
            self.part = Part.parse(str(file.attrs.get("part", "")))
            self.exact_mass: Column[np.float64] = self._column(file, "exact_mass", "<f8", (self.n,))
            self.inchikey14: Column[np.bytes_] = self._column(file, "inchikey14", "S14", (self.n,))
            self.dtype = np.dtype("f2" if "embedding" in file and file["embedding"].dtype.itemsize == 2 else "f4")
            self.embedding: Column[np.floating] = self._vectors(file, "embedding", self.n)
            self.texts = {text: self._text_column(file, text) for text in TEXTS}
            self.graph: Column[np.uint8] | None = None
            self.graph_attributes: dict[str, Any] = {}
            if GRAPH in file:
                self.graph = self._column(file, GRAPH, "u1", file[GRAPH].shape)
                self.graph_attributes = dict(file[GRAPH].attrs)
            self.ivf = self._ivf_columns(file)
        self._signposts = np.concatenate(
            [np.zeros(0), *(self.exact_mass.read(row, row + 1) for row in range(0, self.n, _STEP))]
        )

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
        first, end = np.searchsorted(stretch, low, "left"), np.searchsorted(stretch, high, "right")
        return start + int(first), stretch[first : max(first, end)]

    def _column(self, file: h5py.File, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> Column[Any]:
        if name not in file:
            raise FormatError(f"dataset {name} is missing", where=self.name, advice=_ADVICE)
        dataset, expected = file[name], np.dtype(dtype)
        if dataset.dtype != expected or dataset.shape != shape:
            what = f"dataset {name} is {dataset.dtype} {dataset.shape}, expected {expected} {shape}"
            raise FormatError(what, where=self.name, advice=_ADVICE)
        offset = dataset.id.get_offset()
        if offset is None and dataset.size:
            raise FormatError(f"dataset {name} is not contiguous", where=self.name, advice=_ADVICE)
        return Column(self._descriptor, self.name, offset=offset or 0, dtype=expected, shape=shape)

    def _vectors(self, file: h5py.File, name: str, n: int) -> Column[Any]:
        return self._column(file, name, self.dtype, (n, self.space.dimension))

    def _text_column(self, file: h5py.File, name: str) -> TextColumn:
        offsets = self._column(file, f"{name}_offsets", "<i8", (self.n + 1,))
        n_bytes = int(offsets.read(self.n, self.n + 1)[0])
        return TextColumn(self._column(file, f"{name}_bytes", "u1", (n_bytes,)), offsets)

    def _ivf_columns(self, file: h5py.File) -> IvfColumns | None:
        if _OLD_IVF in file:
            what = "its inverted lists are of an older version, which this release does not read"
            raise FormatError(what, where=self.name, advice="build the index again with --ivf")
        if IVF_CENTROIDS not in file:
            return None
        n_lists = file[IVF_CENTROIDS].shape[0]
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
    with open_hdf5(path, name, expected="an index", advice=_HOW_TO_BUILD) as file, hdf5_errors(name):
        if DIGEST not in file:
            return sha256_file(path)
        graph = str(file[GRAPH].attrs.get("sha256", "")) if GRAPH in file else ""
        return sha256_text(file[DIGEST][0].decode() + graph)


def digest_of_indexes(paths: Iterable[str | os.PathLike[str]]) -> str:
    """`index_digest` of one index; of several one for all, in any order."""
    digests = sorted(index_digest(path) for path in paths)
    return digests[0] if len(digests) == 1 else sha256_text(" ".join(digests))


def _checked_space(file: h5py.File, name: str) -> Space:
    form, version = file.attrs.get("format"), file.attrs.get("format_version")
    if form != FORMAT:
        what = f"is a {form} file, not an index" if form else "is an HDF5 file, but not an index"
        raise FormatError(what, where=name, advice=_HOW_TO_BUILD)
    if version != FORMAT_VERSION:
        advice = "build it again, or install the release that wrote it"
        raise FormatError(f"index version {version}, this release reads {FORMAT_VERSION}", where=name, advice=advice)
    return Space.of_attributes(file.attrs, name)
