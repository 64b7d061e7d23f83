"""Reading HDF5 files of columns (`embeddings.columns`), checked when opened."""

import contextlib

import h5py
import numpy as np

from specbridge_tools.embeddings.columns import FORMAT_VERSION, TEXT, VECTOR
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.streams import display_name, seekable_input


class ColumnFile:
    """An open file of a `Layout`, checked. Use it in a `with` statement, or `close` it."""

    def __init__(self, path, layout, *, name=None):
        self.name = str(path) if name is None else name
        self._layout = layout
        self._file = open_hdf5(path, self.name, expected=repr(layout.format), advice=layout.advice)
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

    def read_blocks(self, size, start=0, stop=None):
        """Yield {column: rows} for up to `size` rows at a time, from `start` up to `stop` or the end."""
        stop = len(self) if stop is None else stop
        for first in range(start, stop, size):
            last = min(first + size, stop)
            yield {name: self.read(name, first, last) for name in self._layout.columns}

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


def plain_attributes(item):
    """Attributes of a file or dataset as Python values."""
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in item.attrs.items()}
