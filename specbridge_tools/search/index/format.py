"""The bytes of an index file, and writing one.

HDF5. Every dataset is contiguous and uncompressed, little-endian, so that a slice can be read or memory-mapped at the
dataset's offset without HDF5. Row i of every column is the same molecule; rows ascend by `exact_mass`, equal ones by
`inchikey14`.

    exact_mass        (n,) float64    Da, sum of the atoms' monoisotopic masses
    inchikey14        (n,) S14        first block of the InChIKey, ASCII
    embedding         (n, d) float16 or float32    unit norm, every value a multiple of 2**-25
                      (`search.index.exact_scores`)
    T_bytes           (bytes,) uint8  for T = id, all_ids, smiles, formula, name: UTF-8 strings end to end
                      likewise T = count:NAME, for columns of counts that were carried along, numbers as text
    T_offsets         (n + 1,) int64  string i of T is T_bytes[T_offsets[i]:T_offsets[i + 1]]
    graph             (bytes,) uint8  only in files with a graph: what hnswlib's `save_index` writes; labels are rows.
                      Attributes: metric (cosine or ip), M, ef_construction, seed, sha256 of the bytes
    sha256            (1,) S64        of all columns but graph and sha256, each hashed on its own, in the order of
                      their names

Only in files with inverted lists (`search.index.ivf`), all four together; list i has the postings
ivf_offsets[i]..ivf_offsets[i + 1] - 1:

    ivf_centroids     (lists, d) like embedding    a query searches the lists whose centroids have the greatest inner
                      product with it. Attribute: lists (how many)
    ivf_offsets       (lists + 1,) int64
    ivf_rows          (n,) int64      the row of each posting, ascending within a list
    ivf_embedding     (n, d) like embedding    the vector of each posting, the same values as in `embedding`, so that
                      a list is one stretch of the file

Root attributes: format = "specbridge-index", format_version = 1, created_by, n, dimension; encoder and weights_sha256
of the molecular encoder; molecule_head_sha256 of the model whose molecule head the vectors went through, '' for none;
part, in the index of a shard, which one it is (`provenance.Part`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from specbridge_tools.provenance import CREATED_BY, Part
from specbridge_tools.search.index.molecule_rows import TEXTS, Rows
from specbridge_tools.search.index.raw_columns import Column

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from specbridge_tools.embeddings.space import Space

FORMAT = "specbridge-index"
FORMAT_VERSION = 1
GRAPH = "graph"
IVF_CENTROIDS = "ivf_centroids"
IVF_OFFSETS = "ivf_offsets"
IVF_ROWS = "ivf_rows"
IVF_EMBEDDING = "ivf_embedding"
DIGEST = "sha256"
# columns that are not written from their start to their end, and are read again for their digest
_SCATTERED = (IVF_ROWS, IVF_EMBEDDING)
_COPY_BYTES = 1 << 20
_OFFSETS = "_offsets"
ColumnSizes = Mapping[str, tuple[tuple[int, ...], DTypeLike]]
"""Column name -> its shape and dtype."""


@dataclasses.dataclass(frozen=True)
class Addition:
    """What is in an index besides its molecules.

    Attributes:
        columns: their sizes, known before the file is made.
        attributes: column name -> its attributes.
        fill: writes the columns, once all molecules are written.
    """

    columns: ColumnSizes
    attributes: Mapping[str, Mapping[str, str | int]]
    fill: Callable[[IndexFileWriter], None]


def text_sizes(blocks: Iterable[Rows]) -> tuple[int, dict[str, int]]:
    """Number of rows, and column of text -> bytes of all its strings in UTF-8."""
    n, sizes = 0, dict.fromkeys(TEXTS, 0)
    for block in blocks:
        n += len(block)
        for name in block.texts:
            sizes[name] = sizes.get(name, 0) + len("".join(block.texts[name]).encode())
    return n, sizes


class IndexFileWriter:
    """Fills an index file from its first row to its last; `embedding` reads back what is written."""

    def __init__(self, descriptor: int, columns: Mapping[str, Column[Any]]) -> None:
        self.embedding: Column[np.floating] = columns["embedding"]
        self._descriptor = descriptor
        self._columns = columns
        self._row = 0
        self._digests = {name: hashlib.sha256() for name in sorted(columns) if name not in (GRAPH, DIGEST)}
        self._text_ends = {name.removesuffix(_OFFSETS): 0 for name in columns if name.endswith(_OFFSETS)}
        self._text_ends.pop("ivf", None)
        for name in self._text_ends:
            self.put(f"{name}_offsets", 0, np.zeros(1, "<i8"))

    def append(self, rows: Rows) -> None:
        """Write `Rows`, which follow those written before in the order of the index."""
        self.put("exact_mass", self._row, rows.exact_mass.astype("<f8", copy=False))
        self.put("inchikey14", self._row, rows.inchikey14)
        self.put("embedding", self._row, rows.vectors)
        for name in self._text_ends:
            encoded = [text.encode() for text in rows.texts[name]]
            ends = self._text_ends[name] + np.cumsum([len(text) for text in encoded], dtype="<i8")
            self.put(f"{name}_bytes", self._text_ends[name], np.frombuffer(b"".join(encoded), np.uint8))
            self.put(f"{name}_offsets", self._row + 1, ends)
            self._text_ends[name] = int(ends[-1])
        self._row += len(rows)

    def finish(self) -> None:
        """Write the digest of what was written."""
        for name in _SCATTERED:
            if name in self._columns:
                self._digests[name] = _digest(self._columns[name])
        digest = hashlib.sha256("".join(digest.hexdigest() for digest in self._digests.values()).encode())
        self.put(DIGEST, 0, np.array([digest.hexdigest()], "S64"))

    def copy(self, column: str, path: str | os.PathLike[str]) -> None:
        """Copy the file at `path` into a column of bytes."""
        os.lseek(self._descriptor, self._columns[column].offset, os.SEEK_SET)
        with open(path, "rb") as source, open(self._descriptor, "wb", closefd=False) as file:
            shutil.copyfileobj(source, file, _COPY_BYTES)

    def put(self, name: str, row: int, values: NDArray[Any]) -> None:
        """Write values (m, ...) into a column, from `row` on."""
        if not values.size:
            return
        values = np.ascontiguousarray(values)
        view = values.reshape(-1).view(np.uint8).data
        if name in self._digests and name not in _SCATTERED:
            self._digests[name].update(view)
        position = self._columns[name].offset + row * values.strides[0]
        while len(view):
            n_written = os.pwrite(self._descriptor, view, position)
            view, position = view[n_written:], position + n_written


def _digest(column: Column[Any]) -> hashlib._Hash:
    digest = hashlib.sha256()
    n_rows = max(1, _COPY_BYTES // max(1, column.row_bytes))
    for start in range(0, len(column), n_rows):
        digest.update(column.read(start, min(start + n_rows, len(column))).data.cast("B"))
    return digest


@contextlib.contextmanager
def create_index_file(
    path: str | os.PathLike[str],
    space: Space,
    *,
    n: int,
    dtype: DTypeLike,
    text_bytes: Mapping[str, int],
    addition: Addition | None = None,
    part: Part | None = None,
) -> Iterator[IndexFileWriter]:
    """Lay out an index file for `n` molecules and yield the `IndexFileWriter` that fills it.

    HDF5 only writes its own few bytes, into memory; they and all data go to the file by plain writes, since HDF5 does
    not survive a disk that runs full.

    Args:
        path: of the file; one that exists is overwritten.
        space: where the vectors live.
        n: number of molecules.
        dtype: of the vectors, float16 or float32.
        text_bytes: column of text -> bytes of all its strings in UTF-8.
        addition: what to make room for besides the molecules.
        part: which part of a whole the index is, or None.
    """
    sizes = _column_sizes(n, space.dimension, dtype, text_bytes) | dict(addition.columns if addition else {})
    attributes = {"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": CREATED_BY, "n": n}
    attributes |= dataclasses.asdict(space) | ({} if part is None else {"part": str(part)})
    frame = _Frame()
    with h5py.File(frame, "w", alignment_threshold=1 << 16, alignment_interval=4096) as file:
        file.attrs.update(attributes)
        offsets = {name: _reserve(file, name, shape, dtype) for name, (shape, dtype) in sizes.items()}
        for name, values in (addition.attributes if addition else {}).items():
            file[name].attrs.update(values)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        frame.write_to(descriptor)
        columns = {
            name: Column(descriptor, str(path), offset=offsets[name], dtype=np.dtype(dtype), shape=shape)
            for name, (shape, dtype) in sizes.items()
        }
        writer = IndexFileWriter(descriptor, columns)
        yield writer
        writer.finish()
    finally:
        os.close(descriptor)


def _column_sizes(
    n: int, dimension: int, dtype: DTypeLike, text_bytes: Mapping[str, int]
) -> dict[str, tuple[tuple[int, ...], DTypeLike]]:
    sizes: dict[str, tuple[tuple[int, ...], DTypeLike]] = {
        "exact_mass": ((n,), "<f8"),
        "inchikey14": ((n,), "S14"),
        "embedding": ((n, dimension), np.dtype(dtype).newbyteorder("<")),
    }
    # in one order, whatever made the file; the counts behind
    for name in (*TEXTS, *(name for name in text_bytes if name not in TEXTS)):
        sizes[f"{name}_bytes"] = ((text_bytes[name],), "u1")
        sizes[f"{name}_offsets"] = ((n + 1,), "<i8")
    sizes[DIGEST] = ((1,), "S64")
    return sizes


def _reserve(file: h5py.File, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> int:
    """Make a contiguous dataset whose place in the file is fixed now and whose bytes are left to us; its offset."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.CONTIGUOUS)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    properties.set_obj_track_times(False)  # the same content gives the same bytes
    kind = h5py.h5t.py_create(np.dtype(dtype))
    return h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple(shape), properties).get_offset() or 0


class _Frame(io.RawIOBase):
    """What HDF5 writes, kept as pieces; the space that it only reserves takes no memory."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, bytes]] = []
        self._position = 0
        self._size = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: ReadableBuffer) -> int:
        piece = bytes(data)
        self._pieces.append((self._position, piece))
        self._position += len(piece)
        self._size = max(self._size, self._position)
        return len(piece)

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        view[:] = bytes(len(view))
        for start, piece in self._pieces:
            low, high = max(start, self._position), min(start + len(piece), self._position + len(view))
            if low < high:
                view[low - self._position : high - self._position] = piece[low - start : high - start]
        self._position += len(view)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        self._size = self._position if size is None else size
        return self._size

    def write_to(self, descriptor: int) -> None:
        """Put the pieces in their places and give the file its full length."""
        for start, piece in self._pieces:
            os.pwrite(descriptor, piece, start)
        os.ftruncate(descriptor, self._size)
