"""FAISS's inverted lists: approximate neighbours in an index larger than the memory, for searching without a mass.

Jégou, Douze & Schmid, IEEE TPAMI 33, 117 (2011); Douze et al., arXiv:2401.08281. k-means parts the molecules into
lists, and a query looks through those whose centres are nearest to it. A value takes one byte there: its distance from
the centre, rounded. The lists are filled block by block in the index file, and FAISS maps them from there, so that
neither building nor searching has them in memory.
"""

import ctypes
import dataclasses
import functools
import hashlib
import logging
import math
import os
import struct

import numpy as np

from specbridge_tools.errors import FormatError, UsageError
from specbridge_tools.search.index.format import IVF, IVF_DIGEST, Addition

_ROW_BYTES = 8  # of a row number beside its vector
_SAMPLE = 40  # molecules a list that k-means sees
_BLOCK_VALUES = 1 << 24


@dataclasses.dataclass(frozen=True)
class IvfOptions:
    """lists: how many, None for twice the square root of the number of molecules; threads: to build with."""

    lists: int | None = None
    threads: int = 1

    def addition(self, blocks, folder, *, n, dimension):
        """The place that the lists of `n` molecules take in an index, as an `Addition` that fills it."""
        n_lists = min(self.lists or round(2 * math.sqrt(n)), n)
        empty = _new_lists(dimension, n_lists)
        empty.train(np.eye(n_lists, dimension, dtype="f4"))  # as large as after true training
        n_bytes = len(_head(empty, np.zeros(n_lists, np.int64))) + n * (dimension + _ROW_BYTES)
        fill = functools.partial(_fill, n_lists=n_lists, threads=self.threads)
        return Addition(IVF, n_bytes, {"lists": n_lists, "bits": 8}, fill)


def load_ivf(index, *, probes, threads):
    """The FAISS index in an open `Index`, its lists mapped from the file; a search looks through `probes` of them.

    Raises `FormatError` where the bytes before the lists are not those that were written, or the file is cut short.
    """
    faiss = _faiss()
    if os.path.getsize(index.path) < index.ivf.offset + len(index.ivf):
        raise FormatError("ends too early", where=index.name, advice="copy or build it again")
    n_head = len(index.ivf) - index.n * (index.space.dimension + _ROW_BYTES)
    if n_head < 0 or _sha256(index.ivf.read(0, n_head)) != index.ivf_sha256:
        raise FormatError("the IVF lists do not match their hash", where=index.name, advice="build the index again")
    reader = faiss.FileIOReader(str(index.path))
    _seek(reader.f, index.ivf.offset)
    try:
        lists = faiss.read_index(reader, faiss.IO_FLAG_MMAP)
    except RuntimeError as error:
        advice = "install a newer faiss-cpu, or build the index again"
        raise FormatError(
            f"the IVF lists cannot be read by this FAISS ({error})", where=index.name, advice=advice
        ) from error
    faiss.omp_set_num_threads(threads)
    lists.nprobe = min(probes, lists.nlist)
    return lists


def _fill(file, *, n_lists, threads):
    """Train, and write the lists of all vectors in an `IndexFileWriter` to their place; two passes over the vectors."""
    faiss = _faiss()
    faiss.omp_set_num_threads(threads)
    n, dimension = file.embedding.shape
    lists = _new_lists(dimension, n_lists)
    lists.train(_sample(file.embedding, _SAMPLE * n_lists))
    list_of = np.empty(n, np.int32)
    for start, vectors in _blocks(file.embedding):
        list_of[start : start + len(vectors)] = lists.quantizer.search(vectors, 1)[1][:, 0]
    sizes = np.bincount(list_of, minlength=n_lists)
    head = _head(lists, sizes)
    file.put(IVF, 0, np.frombuffer(head, np.uint8))
    file.put(IVF_DIGEST, 0, np.array([_sha256(head)], "S64"))
    places = _Places(len(head), sizes, dimension)
    for start, vectors in _blocks(file.embedding):
        mine = list_of[start : start + len(vectors)].astype(np.int64)
        codes = np.empty(vectors.shape, np.uint8)
        lists.encode_vectors(len(vectors), faiss.swig_ptr(vectors), faiss.swig_ptr(mine), faiss.swig_ptr(codes))
        for position, values in places.of(mine, codes, np.arange(start, start + len(vectors))):
            file.put(IVF, position, values)


class _Places:
    """Where the vectors and row numbers of each list go: list after list, first all its vectors, then all its rows."""

    def __init__(self, start, sizes, dimension):
        ends = np.cumsum(sizes * (dimension + _ROW_BYTES))
        self._codes = start + ends - sizes * (dimension + _ROW_BYTES)
        self._rows = start + ends - sizes * _ROW_BYTES
        self._dimension = dimension

    def of(self, lists, codes, rows):
        """Yield (position, array to write there) for a block of vectors: lists, rows (m,), codes (m, d)."""
        order = np.argsort(lists, kind="stable")
        lists, codes, rows = lists[order], codes[order], rows[order].astype("<i8")
        breaks = (np.flatnonzero(np.diff(lists)) + 1).tolist()
        for first, last in zip([0, *breaks], [*breaks, len(lists)], strict=True):
            number, size = lists[first], last - first
            yield int(self._codes[number]), codes[first:last]
            yield int(self._rows[number]), rows[first:last]
            self._codes[number] += size * self._dimension
            self._rows[number] += size * _ROW_BYTES


def _new_lists(dimension, n_lists):
    faiss = _faiss()
    lists = faiss.index_factory(dimension, f"IVF{n_lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    lists.cp.min_points_per_centroid = 1  # FAISS would warn of small lists
    return lists


def _head(lists, sizes):
    """What FAISS writes of a trained index before its lists, whose sizes (n_lists,) are said at its end."""
    faiss = _faiss()
    lists.ntotal = int(sizes.sum())
    written = faiss.serialize_index(lists).tobytes()
    lists.ntotal = 0
    # of an empty index: ilar, number of lists, bytes of a vector, sprs, 0 sizes
    return written[:-12] + b"full" + struct.pack("<Q", len(sizes)) + sizes.astype("<u8").tobytes()


def _sample(embedding, size):
    """About `size` vectors, evenly over the masses."""
    rows = np.unique(np.linspace(0, len(embedding) - 1, size).astype(np.int64))
    picked = []
    for start, vectors in _blocks(embedding):
        picked.append(vectors[rows[(rows >= start) & (rows < start + len(vectors))] - start])
    return np.concatenate(picked)


def _blocks(embedding):
    """(first row, vectors (m, d) float32), one after the other."""
    n, dimension = embedding.shape
    n_rows = max(1, _BLOCK_VALUES // dimension)
    for start in range(0, n, n_rows):
        yield start, embedding.read(start, min(start + n_rows, n)).astype(np.float32)


def _seek(file, offset):
    """Move a C `FILE *`: FAISS maps lists where its reader stands, and offers no way to move that."""
    fseek = ctypes.CDLL(None).fseek
    fseek.argtypes = (ctypes.c_void_p, ctypes.c_long, ctypes.c_int)
    if fseek(int(file), offset, os.SEEK_SET):
        raise OSError("fseek failed")


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def _faiss():
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it tells which instructions its build uses
    try:
        import faiss
    except ImportError as error:
        advice = "pip install 'specbridge_tools[ivf]', or search with --exact"
        raise UsageError("IVF lists need faiss-cpu, which is not installed", advice=advice) from error
    return faiss
