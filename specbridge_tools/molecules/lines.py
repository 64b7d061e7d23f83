"""Bytes -> numbered lines of text, whatever the encoding mark and the line ends."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from specbridge_tools.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE = 4_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def encoding_of(head: bytes) -> str:
    """The encoding that the byte order mark names, else UTF-8."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


def joined(head: bytes, stream: BinaryIO) -> io.BufferedReader:
    """A stream of `head`, bytes already read, and the rest of the stream that they came from; it stays open."""
    return io.BufferedReader(_Joined(head, stream), 1 << 18)


def numbered_lines(head: bytes, stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line without its end) of `head`, bytes already read, and the rest of `stream`.

    Undecodable bytes become U+FFFD.

    Raises:
        DataError: A line is longer than 4 million characters, so this is no text file.
    """
    encoding = encoding_of(head)
    text = io.TextIOWrapper(joined(head, stream), encoding=encoding, errors="replace", newline=None)
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise DataError(f"line longer than {MAX_LINE:,} characters", where=name, line=number)
            yield number, line.rstrip("\n")
    except UnicodeError as error:
        raise DataError(f"text is not {encoding} ({error})", where=name, line=number + 1) from error
    finally:
        text.detach()


class _Joined(io.RawIOBase):
    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer)
        block = self._head or self._stream.read(len(target))
        self._head = block[len(target) :] if self._head else b""
        n_bytes = min(len(block), len(target))
        target[:n_bytes] = block[:n_bytes]
        return n_bytes
