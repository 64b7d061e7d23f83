"""HDF5 files of columns of one length, written block by block; `embeddings.column_file` reads them.

All columns are datasets of the root group, chunked, extendable, uncompressed, little-endian. Text is variable-length
UTF-8. The root attributes name `format`, `format_version`, `created_by` and `n`, the number of rows.
"""

import contextlib
import dataclasses
import io
import os

import h5py
import numpy as np

from specbridge_tools.provenance import CREATED_BY

FORMAT_VERSION = 1
TEXT = h5py.string_dtype("utf-8")
VECTOR = None  # the dtype of the embedding is chosen when a file is made
_CHUNK_BYTES = 1 << 18


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a kind of file holds: its `format`, its columns (name -> dtype) and the attributes it must have."""

    format: str
    columns: dict
    attributes: tuple[str, ...]
    advice: str


class ColumnWriter:
    """Appends rows to all columns of a new file."""

    def __init__(self, file, sink, layout):
        self._file = file
        self._sink = sink
        self._layout = layout
        self.n = 0

    def append(self, columns):
        """Write a block: {column: (rows, ...) array or list of str}, every column of the layout."""
        n = self.n + len(columns["id"])
        for name in self._layout.columns:
            self.write(name, columns[name], start=self.n, stop=n)
        self.n = n

    def write(self, name, values, *, start, stop):
        """Put the values of one column into rows start to stop; the column grows where it must."""
        dataset = self._file[name]
        if dataset.shape[0] < stop:
            dataset.resize(stop, axis=0)
        if self._layout.columns[name] == TEXT:
            # HDF5 ends a text at the first null character
            values = [text.replace("\0", "\ufffd") for text in values]
        if stop > start:
            dataset[start:stop] = values
        self._sink.check()

    def texts(self, name, *, start, stop):
        """Read back rows of a text column."""
        return self._file[name].asstr()[start:stop]

    def set_attributes(self, attributes):
        self._file.attrs.update(attributes)


@contextlib.contextmanager
def create_columns(path, layout, attributes, *, dtype, part=None):
    """Yield the `ColumnWriter` of a new file at `path` with these attributes; vectors are stored as `dtype`. The
    attribute `part` says which part of a whole (`provenance.Part`) the file is, where it is one.

    Raises `OSError` where the disk is full.
    """
    with open(path, "w+b", buffering=0) as raw:
        sink = _Sink(raw)
        try:
            with h5py.File(sink, "w") as file:
                file.attrs.update({"format": layout.format, "format_version": FORMAT_VERSION, "created_by": CREATED_BY})
                file.attrs.update(attributes | ({} if part is None else {"part": str(part)}))
                for name, column_dtype in layout.columns.items():
                    shape = (attributes["dimension"],) if column_dtype is VECTOR else ()
                    _create(file, name, np.dtype(column_dtype or dtype).newbyteorder("<"), shape)
                writer = ColumnWriter(file, sink, layout)
                yield writer
                file.attrs["n"] = writer.n
        finally:
            # what HDF5 makes of lost writes is of no interest beside their cause
            sink.check()


def _create(file, name, dtype, shape):
    rows = max(1, min(8192, _CHUNK_BYTES // max(1, dtype.itemsize * int(np.prod(shape)))))
    file.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(rows, *shape))


class _Sink(io.RawIOBase):
    """The file under HDF5, which cannot live with a failing write: the first error is kept and raised by `check`."""

    def __init__(self, raw):
        self._raw = raw
        self._error = None

    def check(self):
        if self._error is not None:
            raise self._error

    def seekable(self):
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        return self._raw.seek(offset, whence)

    def tell(self):
        return self._raw.tell()

    def readinto(self, target):
        n = self._raw.readinto(target)
        target[n:] = bytes(len(target) - n)
        return len(target)

    def write(self, data):
        view = memoryview(data).cast("B")
        while len(view) and self._error is None:
            try:
                view = view[self._raw.write(view) :]
            except OSError as error:
                self._error = error
        return memoryview(data).nbytes

    def truncate(self, size=None):
        try:
            return self._raw.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size

    def flush(self):
        pass
