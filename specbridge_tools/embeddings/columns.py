"""HDF5 files of columns of one length, written block by block; `embeddings.column_file` reads them.

All columns are datasets of the root group, chunked, extendable, uncompressed, little-endian. Text is variable-length
UTF-8. The root attributes are `format`, `format_version`, `created_by` and `n`, the number of rows, with those of the
`Layout`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.hdf5_file import TextArray
from specbridge_tools.provenance import CREATED_BY, Part

FORMAT_VERSION = 1
ColumnType: TypeAlias = "np.dtype[Any] | str | None"
TEXT: np.dtype[Any] = h5py.string_dtype("utf-8")
VECTOR = None  # the dtype of the embedding is chosen when a file is made
_CHUNK_BYTES = 1 << 18


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a kind of file holds.

    Attributes:
        format: Its name, an attribute of the file.
        columns: Name -> dtype.
        attributes: Those that a file must have, by name, and their types.
        advice: Which command makes such a file.
    """

    format: str
    columns: Mapping[str, ColumnType]
    attributes: Mapping[str, type[int] | type[str]]
    advice: str


class ColumnWriter:
    """Appends rows to all columns of a new file.

    Attributes:
        n: Number of rows so far.
    """

    def __init__(self, file: h5py.File, sink: Sink, layout: Layout) -> None:
        self._file = file
        self._sink = sink
        self._layout = layout
        self.n = 0

    def append(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
        """Write a block of rows: every column of the layout, (rows, ...) numbers or `rows` strings."""
        n = self.n + len(columns["id"])
        for name in self._layout.columns:
            self.write(name, columns[name], start=self.n, stop=n)
        self.n = n

    def write(self, name: str, values: Sequence[Any] | NDArray[Any], *, start: int, stop: int) -> None:
        """Write the values of one column into rows `start` to `stop`, not included; the column grows as needed.

        Raises:
            OSError: If the disk is full.
        """
        dataset = self._file[name]
        if dataset.shape[0] < stop:
            dataset.resize(stop, axis=0)
        if self._layout.columns[name] == TEXT:
            # HDF5 ends a text at the first null character
            values = [text.replace("\0", "\ufffd") for text in values]
        if stop > start:
            dataset[start:stop] = values
        self._sink.check()

    def texts(self, name: str, *, start: int, stop: int) -> TextArray:
        """Read back rows of a text column, as str."""
        values: TextArray = self._file[name].asstr()[start:stop]
        return values


@contextlib.contextmanager
def create_columns(
    path: str | os.PathLike[str],
    layout: Layout,
    attributes: Mapping[str, Any],
    *,
    dtype: str | np.dtype[Any],
    part: Part | None = None,
) -> Iterator[ColumnWriter]:
    """Yield the writer of a new file.

    Args:
        path: Of the new file.
        layout: Of the new file.
        attributes: Those of the layout, by name.
        dtype: Of the stored vectors, float16 or float32.
        part: Which part of a whole the file is; None for a whole.

    Raises:
        OSError: If the disk is full.
    """
    with open(path, "w+b", buffering=0) as raw:
        sink = Sink(raw)
        try:
            with h5py.File(sink, "w") as file:
                file.attrs.update({"format": layout.format, "format_version": FORMAT_VERSION, "created_by": CREATED_BY})
                file.attrs.update({**attributes, **({} if part is None else {"part": str(part)})})
                for name, column_dtype in layout.columns.items():
                    shape = (attributes["dimension"],) if column_dtype is VECTOR else ()
                    _create(file, name, np.dtype(column_dtype or dtype).newbyteorder("<"), shape)
                writer = ColumnWriter(file, sink, layout)
                yield writer
                file.attrs["n"] = writer.n
        finally:
            # raised in place of what HDF5 says of lost writes: this is their cause
            sink.check()


def stored_vectors(vectors: ArrayLike, dtype: str, ids: Sequence[str]) -> NDArray[np.floating[Any]]:
    """Vectors (n, d) as they are stored.

    Args:
        vectors: (n, d).
        dtype: float16 or float32.
        ids: Of the n records, for messages.

    Raises:
        DataError: If a value is not finite in this dtype; names the first record.
    """
    with np.errstate(over="ignore"):
        values: NDArray[np.floating[Any]] = np.asarray(vectors).astype(dtype, copy=False)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        advice = "store it as float32" if dtype == "float16" else None
        raise DataError(f"the vector of {ids[int(finite.argmin())]} is not finite as {dtype}", advice=advice)
    return values


def _create(file: h5py.File, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    rows = max(1, min(8192, _CHUNK_BYTES // max(1, dtype.itemsize * int(np.prod(shape)))))
    file.create_dataset(name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(rows, *shape))


class Sink(io.RawIOBase):
    """The file under HDF5, which does not survive a failing write: the first error is kept, and raised by `check`."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error of a write."""
        if self._error is not None:
            raise self._error

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, target: Any) -> int:
        n = self._raw.readinto(target) or 0
        target[n:] = bytes(len(target) - n)
        return len(target)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        while len(view) and self._error is None:
            try:
                view = view[self._raw.write(view) :]
            except OSError as error:
                self._error = error
        return memoryview(data).nbytes

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._raw.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def flush(self) -> None:
        """Nothing is buffered."""
