"""Gzip as a stream: quick where it has many members, and refused where it grows out of all proportion.

Not through Python's `gzip`, which takes a dozen times as long for a file of 100,000 empty members, and three times as
long for any other.
"""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, BinaryIO

from isal import igzip, igzip_lib

from specbridge_tools.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_RATIO = 200
"""How many times its size a file may grow to: spectra and molecules grow to 3 to 30 times."""
FREE_SIZE = 1 << 25
"""Bytes up to which any file may grow."""


class GzipReader(io.RawIOBase):
    """The content of a gzip stream of one member or many; the stream stays open."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        """Read `stream`; `name` is what messages show."""
        self._packed = _Counted(stream)
        self._unpacked = igzip.IGzipFile(fileobj=self._packed, mode="rb")
        self._name = name
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer.

        Raises:
            DataError: The content is larger than `FREE_SIZE` and than `MAX_RATIO` times what was read for it.
            BadGzipFile, EOFError: The stream is broken, or cut off.
        """
        try:
            n_bytes = self._unpacked.readinto(buffer)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub calls it no exception
            raise gzip.BadGzipFile(str(error)) from error
        self._size += n_bytes
        if self._size > FREE_SIZE and self._size > MAX_RATIO * self._packed.n_bytes:
            message = f"unzipped, it grows to more than {MAX_RATIO} times its size"
            raise DataError(message, where=self._name, advice="if that is right, unzip it before")
        return n_bytes

    def seekable(self) -> bool:
        return self._packed.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; what was read counts anew."""
        position = self._unpacked.seek(offset, whence)
        self._size, self._packed.n_bytes = 0, 0
        return position


class _Counted(io.RawIOBase):
    """A stream that knows how many bytes were read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.n_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer)
        # of a pipe what is there, without waiting for more
        read = self._stream.read1 if isinstance(self._stream, io.BufferedIOBase) else self._stream.read
        block = read(len(target))
        target[: len(block)] = block
        self.n_bytes += len(block)
        return len(block)

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
