"""Slices of a file as arrays, read where they lie: nothing stays mapped, so memory does not grow with the file.

Reading (pread) rather than mapping also turns a file that is cut short, or a disk that fails, into an error message
where a mapping would end the process with SIGBUS.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.column_values import check_values
from specbridge_tools.errors import FormatError

# Rows that lie within this distance are read in one go.
_NEAR = 512
_ADVICE = "copy or build it again"
Scalar = TypeVar("Scalar", bound=np.generic)


class Column(Generic[Scalar]):
    """A C-contiguous array of `dtype` and `shape` at byte `offset` of the open file `descriptor`."""

    def __init__(
        self,
        descriptor: int,
        name: str,
        *,
        offset: int,
        dtype: np.dtype[Scalar],
        shape: tuple[int, ...],
        column: str = "",
    ) -> None:
        """Describe a column.

        Args:
            descriptor: Of the open file.
            name: Of the file, for messages.
            offset: Of the first byte.
            dtype: Of the values.
            shape: (rows, ...).
            column: What is checked when it is read, as `embeddings.column_values` names it; '' for nothing.
        """
        self.name = name
        self._column = column
        self.shape = shape
        self.offset = offset
        self._descriptor = descriptor
        self._dtype = dtype
        self.row_bytes = dtype.itemsize * math.prod(shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, low: int, high: int) -> NDArray[Scalar]:
        """Rows low..high-1 -> new array (high - low, ...)."""
        out = np.empty((high - low, *self.shape[1:]), self._dtype)
        if not out.size:
            return out
        view = out.reshape(-1).view(np.uint8).data
        position = self.offset + int(low) * self.row_bytes
        while len(view):
            n_read = os.preadv(self._descriptor, [view], position)
            if not n_read:
                raise FormatError("ends too early", where=self.name, advice=_ADVICE)
            view, position = view[n_read:], position + n_read
        check_values(out, self._column, self.name, first_row=int(low))
        return out

    def take(self, rows: NDArray[np.int64]) -> NDArray[Scalar]:
        """Ascending row numbers (n,) -> new array (n, ...)."""
        out = np.empty((len(rows), *self.shape[1:]), self._dtype)
        for start, stop in near_runs(rows):
            low = int(rows[start])
            out[start:stop] = self.read(low, int(rows[stop - 1]) + 1)[rows[start:stop] - low]
        return out


class TextColumn:
    """UTF-8 strings end to end in `data` (bytes,); string i is data[offsets[i]:offsets[i + 1]]."""

    def __init__(self, data: Column[np.uint8], offsets: Column[np.int64]) -> None:
        self._data = data
        self._offsets = offsets

    def read(self, low: int, high: int) -> list[str]:
        """Strings low..high-1."""
        blob, ends = self._bytes(low, high)
        with self._text_errors():
            text = blob.decode()
            if len(text) == len(blob):
                return [text[a:b] for a, b in itertools.pairwise(ends)]
            return [blob[a:b].decode() for a, b in itertools.pairwise(ends)]

    def take(self, rows: NDArray[np.int64]) -> list[str]:
        """The strings of ascending row numbers (n,)."""
        out: list[str] = []
        for start, stop in near_runs(rows):
            low = int(rows[start])
            blob, ends = self._bytes(low, int(rows[stop - 1]) + 1)
            with self._text_errors():
                out += [blob[ends[i] : ends[i + 1]].decode() for i in (rows[start:stop] - low).tolist()]
        return out

    def _bytes(self, low: int, high: int) -> tuple[bytes, list[int]]:
        """The bytes of strings low..high-1, and where each ends in them, after a 0."""
        ends = self._offsets.read(low, high + 1)
        first, last = int(ends[0]), int(ends[-1])
        if not 0 <= first <= last <= len(self._data) or (ends[1:] < ends[:-1]).any():
            raise FormatError("the offsets of its strings are broken", where=self._data.name, advice=_ADVICE)
        return self._data.read(first, last).tobytes(), (ends - first).tolist()

    @contextlib.contextmanager
    def _text_errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            raise FormatError("a string is not UTF-8", where=self._data.name, advice=_ADVICE) from error


def near_runs(rows: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    """Ascending row numbers (n,) -> (start, stop) of the stretches that are worth one read each."""
    if not len(rows):
        return ()
    if rows[-1] - rows[0] <= _NEAR:
        return ((0, len(rows)),)
    breaks = (np.flatnonzero(np.diff(rows) > _NEAR) + 1).tolist()
    return zip([0, *breaks], [*breaks, len(rows)], strict=True)
