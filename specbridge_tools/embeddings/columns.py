"""HDF5 files of columns of one length: written block by block, checked when opened.

All columns are datasets of the root group, chunked, extendable, uncompressed, little-endian. Text is variable-length
UTF-8. The root attributes name `format`, `format_version`, `created_by` and `n`, the number of rows.
"""

import contextlib
import dataclasses
import io
import os

import h5py
import numpy as np

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.streams import display_name, seekable_input

FORMAT_VERSION = 1
SIGNATURE = b"\x89HDF\r\n\x1a\n"
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
def create_columns(path, layout, attributes, *, dtype):
    """Yield the `ColumnWriter` of a new file at `path` with these attributes; vectors are stored as `dtype`.

    Raises `OSError` where the disk is full.
    """
    with open(path, "w+b", buffering=0) as raw:
        sink = _Sink(raw)
        try:
            with h5py.File(sink, "w") as file:
                file.attrs.update({"format": layout.format, "format_version": FORMAT_VERSION, "created_by": CREATED_BY})
                file.attrs.update(attributes)
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


class ColumnFile:
    """An open file of a `Layout`, checked. Use it in a `with` statement, or `close` it."""

    def __init__(self, path, layout, *, name=None):
        self.name = str(path) if name is None else name
        self._layout = layout
        _check_signature(path, self.name, layout)
        with self._reading():
            self._file = h5py.File(path, "r")
        try:
            with self._reading():
                self.attributes = plain_attributes(self._file)
                self._check()
        except FormatError:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __len__(self):
        return self.attributes["n"]

    def close(self):
        self._file.close()

    def read(self, name, start=0, stop=None):
        """Rows of a column; text as (n,) object array of str."""
        with self._reading():
            dataset = self._file[name]
            return (dataset.asstr() if self._layout.columns[name] == TEXT else dataset)[start:stop]

    def dataset(self, name):
        """The column itself, for slicing; its values are not decoded."""
        return self._file[name]

    def read_blocks(self, size):
        """Yield {column: rows} for up to `size` rows at a time."""
        for start in range(0, len(self), size):
            yield {name: self.read(name, start, start + size) for name in self._layout.columns}

    def _check(self):
        found, version = self.attributes.get("format"), self.attributes.get("format_version")
        if found != self._layout.format:
            what = f"is {found!r}" if found else "is an HDF5 file of another program"
            raise FormatError(f"{what}, expected {self._layout.format!r}", where=self.name, advice=self._layout.advice)
        if version != FORMAT_VERSION:
            raise FormatError(
                f"has format version {version}, this release reads {FORMAT_VERSION}",
                where=self.name,
                advice="make it again, or install the version of specbridge_tools that wrote it",
            )
        for attribute in ("n", *self._layout.attributes):
            if attribute not in self.attributes:
                raise self._broken(f"attribute {attribute} is missing")
        for name, dtype in self._layout.columns.items():
            self._check_column(name, dtype)

    def _check_column(self, name, dtype):
        dataset = self._file.get(name)
        if not isinstance(dataset, h5py.Dataset):
            raise self._broken(f"dataset {name} is missing")
        if dtype is VECTOR:
            fits = dataset.dtype in (np.dtype("<f2"), np.dtype("<f4"))
        elif dtype == TEXT:
            fits = dataset.dtype.kind == "O" and h5py.check_string_dtype(dataset.dtype) is not None
        else:
            fits = dataset.dtype == np.dtype(dtype)
        if not fits:
            raise self._broken(f"dataset {name} has the type {dataset.dtype}")
        if dataset.shape[:1] != (self.attributes["n"],):
            raise self._broken(
                f"dataset {name} has the shape {dataset.shape}, but there are {self.attributes['n']} rows"
            )
        if dtype is VECTOR and dataset.shape[1:] != (self.attributes["dimension"],):
            raise self._broken(f"{name} has the shape {dataset.shape}, not {self.attributes['dimension']} dimensions")

    def _broken(self, what):
        return FormatError(what, where=self.name, advice="the file is broken: copy it or make it again")

    @contextlib.contextmanager
    def _reading(self):
        try:
            yield
        except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise self._broken(f"is a truncated or damaged HDF5 file ({reason})") from error


def open_columns(kind, layout, source):
    """Open a path, or stdin for `-`, as a `kind` of `ColumnFile`."""
    # the copy of stdin may go as soon as it is open: the file lives on without its name
    with seekable_input(source) as path:
        return kind(path, layout, name=display_name(source))


def _check_signature(path, name, layout):
    try:
        with open(path, "rb") as file:
            begin = file.read(len(SIGNATURE))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=name) from error
    if begin != SIGNATURE:
        what = "is empty" if not begin else "is no HDF5 file"
        raise FormatError(f"{what}, expected {layout.format!r}", where=name, advice=layout.advice)


def plain_attributes(item):
    """Attributes of a file or dataset as Python values."""
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in item.attrs.items()}
