"""Text as spectrum files hold it: any line ends, a byte order mark, UTF-8 or an older 8-bit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from specbridge_tools.errors import DataError

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
BLOCK = 1 << 20
MAX_LINE = 1 << 26
UTF8_MARK = b"\xef\xbb\xbf"


class ByteStream(Protocol):
    """What the readers of formats need of a file."""

    def read(self, size: int, /) -> bytes: ...


def line_blocks(stream: ByteStream, source: str) -> Iterator[bytes]:
    r"""Yield blocks of whole lines, each line ended by `\n` whatever the file has; constant memory.

    `\r\n` and `\r` count as one line end.

    Raises:
        DataError: A line is longer than 64 MB, so this is no text.
    """
    pending: list[bytes] = []  # parts of a line, joined once: it may be long
    size, held, first = 0, b"", True
    while block := stream.read(BLOCK):
        if first:
            block, first = block.removeprefix(UTF8_MARK), False
        block, held = held + block, b""
        if block[-1:] == b"\r":
            block, held = block[:-1], b"\r"
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*pending, block[:end]])
            pending, size = [], 0
        pending.append(block[end:])
        size += len(block) - end
        if size > MAX_LINE:
            raise DataError(f"a line of more than {MAX_LINE >> 20} MB", where=source, advice="is it a text file?")
    if size or held:
        yield b"".join([*pending, b"\n"])


def printable(text: str) -> str:
    """Text for a message: one line, no control characters."""
    return " ".join(CONTROL.sub(" ", text).split())


def decoded(data: bytes) -> str:
    """Bytes -> text: UTF-8, or where they are not, Windows-1252 (which holds Latin-1)."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
