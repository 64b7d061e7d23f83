"""Opening an index file and reading slices of it; `search.index.format` documents its bytes, `search.index.build` makes one."""

import contextlib
import os

import h5py
import numpy as np

from specbridge_tools.content import HDF5_SIGNATURE
from specbridge_tools.embeddings.space import Space
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.provenance import Part, sha256_file, sha256_text
from specbridge_tools.search.index.format import DIGEST, FORMAT, FORMAT_VERSION, GRAPH, IVF, IVF_DIGEST
from specbridge_tools.search.index.molecule_rows import TEXTS
from specbridge_tools.search.index.raw_columns import Column, TextColumn
from specbridge_tools.streams import display_name, seekable_input

# One mass in so many stays in memory, to find the place of any other with one read.
_STEP = 2048


class Index:
    """An open index. Columns are read slice by slice: `exact_mass`, `inchikey14`, `embedding`, and `texts[name]`.

    name              the file, as messages show it
    space             where its vectors live
    n, dtype          number of molecules; float16 or float32
    part              the part of a whole that it is (`provenance.Part`), or None
    graph             the saved graph's bytes (`Column`), or None; graph_attributes: how it was made
    ivf               FAISS's inverted lists (`Column` of bytes), or None; ivf_sha256: of what stands before the lists
    path              of the file, or of the copy of a pipe
    """

    def __init__(self, path, *, name, resources):
        self.name = name
        self.path = path
        self._resources = resources
        with _open_hdf5(path, name) as file:
            self._descriptor = os.open(path, os.O_RDONLY)
            resources.callback(os.close, self._descriptor)
            self.space = _checked_space(file, name)
            self.n = int(file.attrs.get("n", 0))
            self.part = Part.parse(str(file.attrs.get("part", "")))
            self.exact_mass = self._column(file, "exact_mass", "<f8", (self.n,))
            self.inchikey14 = self._column(file, "inchikey14", "S14", (self.n,))
            self.dtype = np.dtype("f2" if "embedding" in file and file["embedding"].dtype.itemsize == 2 else "f4")
            self.embedding = self._column(file, "embedding", self.dtype, (self.n, self.space.dimension))
            self.texts = {text: self._text_column(file, text) for text in TEXTS}
            self.graph, self.ivf = self._bytes(file, GRAPH), self._bytes(file, IVF)
            self.graph_attributes = dict(file[GRAPH].attrs) if GRAPH in file else {}
            self.ivf_sha256 = file[IVF_DIGEST][0].decode() if IVF_DIGEST in file else ""
        self._signposts = np.concatenate([self.exact_mass.read(i, i + 1) for i in range(0, self.n, _STEP)])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __len__(self):
        return self.n

    def close(self):
        """Close the file; nothing can be read afterwards."""
        self._resources.close()

    def mass_window(self, low, high):
        """The molecules with low <= exact mass <= high (Da): number of the first row, masses (m,) ascending."""
        start = max(0, int(np.searchsorted(self._signposts, low, "left")) - 1) * _STEP
        stop = min(self.n, int(np.searchsorted(self._signposts, high, "right")) * _STEP)
        stretch = self.exact_mass.read(start, max(start, stop))
        first, end = np.searchsorted(stretch, low, "left"), np.searchsorted(stretch, high, "right")
        return start + int(first), stretch[first : max(first, end)]

    def _column(self, file, name, dtype, shape):
        if name not in file:
            raise FormatError(f"dataset {name} is missing", where=self.name, advice="build the index again")
        dataset = file[name]
        if dataset.dtype != np.dtype(dtype) or dataset.shape != shape:
            found = f"dataset {name} is {dataset.dtype} {dataset.shape}, expected {np.dtype(dtype)} {shape}"
            raise FormatError(found, where=self.name, advice="build the index again")
        offset = dataset.id.get_offset()
        if offset is None and dataset.size:
            raise FormatError(f"dataset {name} is not contiguous", where=self.name, advice="build the index again")
        return Column(self._descriptor, self.name, offset=offset or 0, dtype=dtype, shape=shape)

    def _bytes(self, file, name):
        return self._column(file, name, "u1", file[name].shape) if name in file else None

    def _text_column(self, file, name):
        offsets = self._column(file, f"{name}_offsets", "<i8", (self.n + 1,))
        n_bytes = int(offsets.read(self.n, self.n + 1)[0])
        return TextColumn(self._column(file, f"{name}_bytes", "u1", (n_bytes,)), offsets)


def open_index(source):
    """Open an index (path or `-`): a context manager; `close()` does as well.

    Raises `DataError` where the file cannot be read, `FormatError` where it is no whole index of this version.
    """
    with contextlib.ExitStack() as resources:
        path = resources.enter_context(seekable_input(source))
        return Index(path, name=display_name(source), resources=resources.pop_all())


def index_digest(path):
    """SHA-256 of what an index (path) holds, as it was written when the index was built; hence at once."""
    with _open_hdf5(path, str(path)) as file:
        if DIGEST not in file:
            return sha256_file(path)
        graph = str(file[GRAPH].attrs.get("sha256", "")) if GRAPH in file else ""
        return sha256_text(file[DIGEST][0].decode() + graph)


def digest_of_indexes(paths):
    """`index_digest` of one index; of several one for all, in any order."""
    digests = sorted(index_digest(path) for path in paths)
    return digests[0] if len(digests) == 1 else sha256_text(" ".join(digests))


def _open_hdf5(path, name):
    try:
        with open(path, "rb") as file:
            is_hdf5 = file.read(8) == HDF5_SIGNATURE
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=name) from error
    if not is_hdf5:
        raise FormatError("is no index: not an HDF5 file", where=name, advice="sb-build-index makes one")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise FormatError("is broken or cut short", where=name, advice="copy or build it again") from error


def _checked_space(file, name):
    found, version = file.attrs.get("format"), file.attrs.get("format_version")
    if found != FORMAT:
        what = f"is a {found} file, no index" if found else "is an HDF5 file, but no index"
        raise FormatError(what, where=name, advice="sb-build-index makes an index of molecule embeddings")
    if version != FORMAT_VERSION:
        advice = "build it again, or install the release that wrote it"
        raise FormatError(f"index version {version}, this release reads {FORMAT_VERSION}", where=name, advice=advice)
    return Space.of_attributes(file.attrs, name)
