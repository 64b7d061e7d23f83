"""Reading HDF5 files of columns (`embeddings.columns`), checked when opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.column_values import check_values
from specbridge_tools.embeddings.columns import FORMAT_VERSION, TEXT, VECTOR, ColumnType, Layout
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import Dataset, open_hdf5
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
        self.attributes = self._file.attributes
        try:
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
    def embedding(self) -> Dataset:
        """The vectors on disk (n, d); slicing reads them."""
        return self._file.datasets["embedding"]

    def close(self) -> None:
        self._file.close()

    def read(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Read rows of a column; text becomes an (n,) object array of str.

        Raises:
            FormatError: If the file is damaged, or a value is none that the column can have.
        """
        values: NDArray[Any] = self._file.datasets[name][start:stop]
        check_values(values, name, self.name, first_row=start)
        return values

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
        for attribute, kind in {"n": int, **self._layout.attributes}.items():
            self._file.attribute(attribute, kind)
        for name, dtype in self._layout.columns.items():
            self._check_column(name, dtype)

    def _check_column(self, name: str, dtype: ColumnType) -> None:
        dataset = self._file.datasets.get(name)
        if dataset is None:
            raise self._broken(f"dataset {name} is missing")
        if dtype is VECTOR:
            fits = dataset.dtype in (np.dtype("<f2"), np.dtype("<f4"))
        else:
            fits = dataset.is_text if dtype == TEXT else dataset.dtype == np.dtype(dtype)
        if not fits:
            raise self._broken(f"dataset {name} has the type {'text' if dataset.is_text else dataset.dtype}")
        shape, n, dimension = dataset.shape, self.attributes["n"], self.attributes["dimension"]
        if shape[:1] != (n,) or (dtype is not VECTOR and len(shape) > 1):
            raise self._broken(f"dataset {name} has the shape {shape}, but there are {n} rows")
        if dtype is VECTOR and shape[1:] != (dimension,):
            raise self._broken(f"{name} has the shape {shape}, not {dimension} dimensions")

    def _broken(self, what: str) -> FormatError:
        return FormatError(what, where=self.name, advice="the file is broken: copy it or make it again")


File = TypeVar("File", bound=ColumnFile)


def open_columns(kind: type[File], layout: Layout, source: str | os.PathLike[str]) -> File:
    """Open a path, or stdin for `-`; raises as the constructor of `ColumnFile` does."""
    # the copy of stdin may be removed once it is open: the open file outlives its name
    with seekable_input(source) as path:
        return kind(path, layout, name=display_name(source))
