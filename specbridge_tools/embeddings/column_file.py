"""Reading HDF5 files of columns (`embeddings.columns`), checked when opened."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.columns import FORMAT_VERSION, TEXT, VECTOR, ColumnType, Layout
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.streams import display_name, seekable_input

if TYPE_CHECKING:
    from typing_extensions import Self


class ColumnFile:
    """An open file of a `Layout`, checked. Use it in a `with` statement, or `close` it.

    Attributes:
        name: Of the file, for messages.
        attributes: Root attributes.
    """

    def __init__(self, path: str | os.PathLike[str], layout: Layout, *, name: str | None = None) -> None:
        """Open and check a file.

        Raises:
            DataError: If the file cannot be read.
            FormatError: If it is not such a file, of another version, or broken.
        """
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self.attributes["n"])

    @property
    def encoder(self) -> str:
        """Name of the molecular encoder in whose space the vectors are."""
        return str(self.attributes["encoder"])

    @property
    def weights_sha256(self) -> str:
        """Hash of the molecular encoder's weights."""
        return str(self.attributes["weights_sha256"])

    @property
    def dimension(self) -> int:
        return int(self.attributes["dimension"])

    @property
    def embedding(self) -> h5py.Dataset:
        """The vectors on disk (n, d); slicing reads them."""
        return self.dataset("embedding")

    def close(self) -> None:
        self._file.close()

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Read rows of a column; text becomes an (n,) object array of str."""
        with self._reading():
            dataset = self._file[name]
            values: NDArray[Any] = (dataset.asstr() if self._layout.columns[name] == TEXT else dataset)[start:stop]
            return values

    def dataset(self, name: str) -> h5py.Dataset:
        """The column itself, for slicing; text is not decoded."""
        return self._file[name]

    def read_blocks(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield {column: rows} for up to `size` rows at a time, from `start` up to `stop` or the end."""
        stop = len(self) if stop is None else stop
        for first in range(start, stop, size):
            last = min(first + size, stop)
            yield {name: self.read(name, first, last) for name in self._layout.columns}

    def _check(self) -> None:
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

    def _check_column(self, name: str, dtype: ColumnType) -> None:
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

    def _broken(self, what: str) -> FormatError:
        return FormatError(what, where=self.name, advice="the file is broken: copy it or make it again")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise self._broken(f"is a truncated or damaged HDF5 file ({reason})") from error


File = TypeVar("File", bound=ColumnFile)


def open_columns(kind: type[File], layout: Layout, source: str | os.PathLike[str]) -> File:
    """Open a path, or stdin for `-`; raises as the constructor of `ColumnFile` does."""
    # the copy of stdin may be removed once it is open: the open file outlives its name
    with seekable_input(source) as path:
        return kind(path, layout, name=display_name(source))


def plain_attributes(item: h5py.File | h5py.Dataset) -> dict[str, Any]:
    """Attributes of a file or dataset as Python values."""
    return {key: value.item() if isinstance(value, np.generic) else value for key, value in item.attrs.items()}
