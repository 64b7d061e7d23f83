"""Slices of a file as arrays, read where they lie: nothing stays mapped, so memory does not grow with the file.

Reading (pread) rather than mapping also turns a file that is cut short, or a disk that fails, into an error message
where a mapping would end the process with SIGBUS.
"""

import dataclasses
import itertools
import os

import numpy as np

from specbridge_tools.errors import FormatError

# Rows that lie within this distance are read in one go.
_NEAR = 512


@dataclasses.dataclass(frozen=True)
class Column:
    """A C-contiguous array of `dtype` and `shape` at byte `offset` of the open file `descriptor`."""

    descriptor: int
    name: str
    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]

    def __len__(self):
        return self.shape[0]

    def read(self, low, high):
        """Rows low..high-1 -> new array (high - low, ...)."""
        out = np.empty((high - low, *self.shape[1:]), self.dtype)
        row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))
        view = memoryview(out.reshape(-1).view(np.uint8)) if out.size else memoryview(b"")
        position = self.offset + low * row_bytes
        while len(view):
            n_read = os.preadv(self.descriptor, [view], position)
            if not n_read:
                raise FormatError("ends too early", where=self.name, advice="copy or build it again")
            view, position = view[n_read:], position + n_read
        return out

    def take(self, rows):
        """Ascending row numbers (n,) -> new array (n, ...)."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for start, stop in near_runs(rows):
            low = rows[start]
            out[start:stop] = self.read(low, rows[stop - 1] + 1)[rows[start:stop] - low]
        return out


@dataclasses.dataclass(frozen=True)
class TextColumn:
    """UTF-8 strings end to end in `data` (bytes,); string i is data[offsets[i]:offsets[i + 1]]."""

    data: Column
    offsets: Column

    def read(self, low, high):
        """Strings low..high-1 -> list of str."""
        ends = self.offsets.read(low, high + 1)
        if ends[0] < 0 or ends[-1] > len(self.data) or (np.diff(ends) < 0).any():
            raise FormatError("offsets of strings are broken", where=self.data.name, advice="copy or build it again")
        blob = self.data.read(ends[0], ends[-1]).tobytes()
        ends = (ends - ends[0]).tolist()
        try:
            text = blob.decode()
            if len(text) == len(blob):
                return [text[a:b] for a, b in itertools.pairwise(ends)]
            return [blob[a:b].decode() for a, b in itertools.pairwise(ends)]
        except UnicodeDecodeError as error:
            raise FormatError("a string is not UTF-8", where=self.data.name, advice="copy or build it again") from error

    def take(self, rows):
        """Ascending row numbers (n,) -> list of str."""
        out = []
        for start, stop in near_runs(rows):
            low = rows[start]
            stretch = self.read(low, rows[stop - 1] + 1)
            out += [stretch[i] for i in (rows[start:stop] - low).tolist()]
        return out


def near_runs(rows):
    """Ascending row numbers -> (start, stop) of the stretches that are worth one read each."""
    breaks = np.flatnonzero(np.diff(rows) > _NEAR) + 1
    return zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True) if len(rows) else ()
