"""Bytes -> numbered lines of text, whatever the encoding mark and the line ends."""

import codecs
import io

from specbridge_tools.errors import DataError

MAX_LINE = 4_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def encoding_of(head):
    """The encoding that the byte order mark names, else UTF-8."""
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")


def numbered_lines(head, stream, name):
    """Yield (number from 1, line without its end) of `head`, bytes read already, and the rest of `stream`.

    Undecodable bytes become U+FFFD. Raises `DataError` for a line beyond 4 million characters: not a text file.
    """
    encoding = encoding_of(head)
    reader = io.BufferedReader(_Joined(head, stream), 1 << 18)
    text = io.TextIOWrapper(reader, encoding=encoding, errors="replace", newline=None)
    number = 0
    try:
        while line := text.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise DataError(f"line longer than {MAX_LINE:,} characters", where=name, line=number)
            yield number, line.rstrip("\n")
    except UnicodeError as error:
        raise DataError(f"text is not {encoding} ({error.reason})", where=name, line=number + 1) from error
    finally:
        text.detach()


class _Joined(io.RawIOBase):
    """Bytes that were read already, then the stream that they came from; closing it leaves the stream open."""

    def __init__(self, head, stream):
        self._head = head
        self._stream = stream

    def readable(self):
        return True

    def readinto(self, target):
        block = self._head or self._stream.read(len(target))
        self._head = block[len(target) :] if self._head else b""
        target[: len(block[: len(target)])] = block[: len(target)]
        return min(len(block), len(target))
