"""The bytes of an index file, and writing one.

HDF5. Every dataset is contiguous and uncompressed, little-endian, so that a slice can be read or memory-mapped at the
dataset's offset without HDF5. Row i of every column is the same molecule; rows ascend by `exact_mass`, equal ones by
`inchikey14`.

    exact_mass        (n,) float64    Da, sum of the atoms' monoisotopic masses
    inchikey14        (n,) S14        first block of the InChIKey, ASCII
    embedding         (n, d) float16 or float32    unit norm, every value a multiple of 2**-25 (`search.index.exact_scores`)
    T_bytes           (bytes,) uint8  for T = id, all_ids, smiles, formula, name: UTF-8 strings end to end
    T_offsets         (n + 1,) int64  string i of T is T_bytes[T_offsets[i]:T_offsets[i + 1]]
    graph             (bytes,) uint8  only in files with a graph: what hnswlib's `save_index` writes; labels are rows.
                      Attributes: metric (cosine or ip), M, ef_construction, seed, sha256 of the bytes
    ivf               (bytes,) uint8  only in files with IVF lists: what FAISS's `write_index` writes of an
                      `IndexIVFScalarQuantizer` by inner product; ids are rows. From the last n * (d + 8) bytes, the
                      lists, it can be mapped (`IO_FLAG_MMAP`). Attributes: lists (how many), bits (of a value: 8)
    ivf_sha256        (1,) S64        of its bytes before the lists
    sha256            (1,) S64        of all columns above but the graph, each by itself, in the order of their names

Root attributes: format = "specbridge-index", format_version = 1, created_by, n, dimension; encoder and weights_sha256
of the molecular encoder; molecule_head_sha256 of the model whose molecule head the vectors went through, '' for none;
part, in the index of a shard, which one it is (`provenance.Part`).
"""

import contextlib
import dataclasses
import hashlib
import io
import os
import shutil
from collections.abc import Callable

import h5py
import numpy as np

from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.search.index.molecule_rows import TEXTS
from specbridge_tools.search.index.raw_columns import Column

FORMAT = "specbridge-index"
FORMAT_VERSION = 1
GRAPH = "graph"
IVF = "ivf"
IVF_DIGEST = "ivf_sha256"
DIGEST = "sha256"
_COPY_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class Addition:
    """What stands in an index besides its molecules: a column of `n_bytes`, which `fill(IndexFileWriter)` writes."""

    name: str
    n_bytes: int
    attributes: dict
    fill: Callable


def text_sizes(blocks):
    """Blocks of `Rows` -> (number of rows, column of `TEXTS` -> bytes of all its strings in UTF-8)."""
    n, sizes = 0, dict.fromkeys(TEXTS, 0)
    for block in blocks:
        n += len(block)
        for name in TEXTS:
            sizes[name] += len("".join(block.texts[name]).encode())
    return n, sizes


class IndexFileWriter:
    """Fills an index file from its first row to its last; `embedding` reads back what is written."""

    def __init__(self, descriptor, columns):
        self.embedding = columns["embedding"]
        self._descriptor = descriptor
        self._columns = columns
        self._row = 0
        self._digests = {name: hashlib.sha256() for name in sorted(columns) if name not in (GRAPH, DIGEST)}
        self._text_ends = dict.fromkeys(TEXTS, 0)
        for name in TEXTS:
            self.put(f"{name}_offsets", 0, np.zeros(1, "<i8"))

    def append(self, rows):
        """Write `Rows`, which follow those written before in the order of the index."""
        self.put("exact_mass", self._row * 8, rows.exact_mass.astype("<f8", copy=False))
        self.put("inchikey14", self._row * 14, rows.inchikey14)
        embedding = np.ascontiguousarray(rows.embedding)
        self.put("embedding", self._row * embedding.strides[0], embedding)
        for name in TEXTS:
            encoded = [text.encode() for text in rows.texts[name]]
            ends = self._text_ends[name] + np.cumsum([len(text) for text in encoded], dtype="<i8")
            self.put(f"{name}_bytes", self._text_ends[name], np.frombuffer(b"".join(encoded), np.uint8))
            self.put(f"{name}_offsets", (self._row + 1) * 8, ends)
            self._text_ends[name] = int(ends[-1])
        self._row += len(rows)

    def finish(self):
        """Write the digest of what was written."""
        if IVF in self._columns:
            # its bytes came in no order
            lists = self._columns[IVF]
            for start in range(0, len(lists), _COPY_BYTES):
                self._digests[IVF].update(lists.read(start, min(start + _COPY_BYTES, len(lists))))
        digest = hashlib.sha256("".join(each.hexdigest() for each in self._digests.values()).encode())
        self.put(DIGEST, 0, np.array([digest.hexdigest()], "S64"))

    def copy(self, column, path):
        """Copy the file at `path` into a column."""
        os.lseek(self._descriptor, self._columns[column].offset, os.SEEK_SET)
        with open(path, "rb") as source, open(self._descriptor, "wb", closefd=False) as file:
            shutil.copyfileobj(source, file, _COPY_BYTES)

    def put(self, column, position, array):
        """Write an array at byte `position` of a column."""
        view = memoryview(array.reshape(-1).view(np.uint8)) if array.size else memoryview(b"")
        if column in self._digests and column != IVF:
            self._digests[column].update(view)
        position += self._columns[column].offset
        while len(view):
            n_written = os.pwrite(self._descriptor, view, position)
            view, position = view[n_written:], position + n_written


@contextlib.contextmanager
def create_index_file(path, space, *, n, dtype, text_bytes, addition=None, part=None):
    """Lay out an index file for `n` molecules and yield the `IndexFileWriter` that fills it.

    text_bytes: column of `TEXTS` -> bytes of all its strings in UTF-8. addition: the `Addition` to make room for. part:
    which part of a whole it is, or None. HDF5 only writes its own few bytes, into memory; they and all data go to the
    file by plain writes, since HDF5 does not survive a disk that runs full.
    """
    columns = {
        "exact_mass": ((n,), "<f8"),
        "inchikey14": ((n,), "S14"),
        "embedding": ((n, space.dimension), np.dtype(dtype).newbyteorder("<")),
    }
    for name in TEXTS:
        columns[f"{name}_bytes"] = ((text_bytes[name],), "u1")
        columns[f"{name}_offsets"] = ((n + 1,), "<i8")
    columns[DIGEST] = ((1,), "S64")
    if addition is not None:
        columns[addition.name] = ((addition.n_bytes,), "u1")
        if addition.name == IVF:
            columns[IVF_DIGEST] = ((1,), "S64")
    frame = _Frame()
    with h5py.File(frame, "w", alignment_threshold=1 << 16, alignment_interval=4096) as file:
        attributes = {"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": CREATED_BY, "n": n}
        attributes |= dataclasses.asdict(space) | ({} if part is None else {"part": str(part)})
        file.attrs.update(attributes)
        offsets = {name: _reserve(file, name, shape, dtype) for name, (shape, dtype) in columns.items()}
        if addition is not None:
            file[addition.name].attrs.update(addition.attributes)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        frame.write_to(descriptor)
        writer = IndexFileWriter(
            descriptor,
            {
                name: Column(descriptor, str(path), offset=offsets[name], dtype=dtype, shape=shape)
                for name, (shape, dtype) in columns.items()
            },
        )
        yield writer
        writer.finish()
    finally:
        os.close(descriptor)


def _reserve(file, name, shape, dtype):
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

    def __init__(self):
        self._pieces = []
        self._position = 0
        self._size = 0

    def seek(self, offset, whence=os.SEEK_SET):
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self):
        return self._position

    def write(self, data):
        data = bytes(data)
        self._pieces.append((self._position, data))
        self._position += len(data)
        self._size = max(self._size, self._position)
        return len(data)

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")
        view[:] = bytes(len(view))
        for start, data in self._pieces:
            low, high = max(start, self._position), min(start + len(data), self._position + len(view))
            if low < high:
                view[low - self._position : high - self._position] = data[low - start : high - start]
        self._position += len(view)
        return len(view)

    def truncate(self, size=None):
        self._size = self._position if size is None else size
        return self._size

    def write_to(self, descriptor):
        """Put the pieces in their places and give the file its full length."""
        for start, data in self._pieces:
            os.pwrite(descriptor, data, start)
        os.ftruncate(descriptor, self._size)
