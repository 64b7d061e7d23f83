"""What a file is by its first bytes, where it is none that we read."""

from __future__ import annotations

import re

from specbridge_tools.errors import FormatError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BINARY = (
    (HDF5_SIGNATURE, "an HDF5 file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file"),
    (b"\x1f\x8b", "gzip within gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_JSON_OBJECT = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"')
_TEXT = (*((mark, "text in UTF-16") for mark in _UTF16), (b"{", "JSON"), (b"[", "JSON"))


def binary_format(head: bytes) -> str | None:
    """`an xz file` and the like, by the signature; None for what has none of them."""
    return next((name for signature, name in _BINARY if head.startswith(signature)), None)


def text_format(head: bytes) -> str | None:
    """`JSON` or `text in UTF-16`, for readers whose formats are neither."""
    return next((name for start, name in _TEXT if head.startswith(start)), None)


def is_json_objects(head: bytes) -> bool:
    """Whether a file begins as a JSON object, or as an array of them: no table's header does, and no SMILES."""
    return _JSON_OBJECT.match(head) is not None


def foreign(head: bytes) -> str | None:
    """`binary_format`, or `binary data` where NUL bytes say that it is no text in any encoding but UTF-16."""
    return binary_format(head) or ("binary data" if b"\x00" in head[:4096] and not head.startswith(_UTF16) else None)


def beginning(head: bytes) -> str:
    """The first words of some bytes, fit for a message."""
    first = head.lstrip().splitlines()[:1] or [b""]
    text = first[0][:40].decode("utf-8", errors="replace")
    return repr("".join(letter if letter.isprintable() and letter != "\ufffd" else "?" for letter in text))


def refuse_blank(head: bytes, name: str, size: int) -> None:
    """Raise `FormatError` for a beginning of nothing but blanks, unless it is the whole of a file below `size` bytes.

    Records may follow so much white space, so the file is not called empty.
    """
    if len(head) >= size and not head.strip():
        raise FormatError(f"begins with {size:,} bytes of white space", where=name, advice="remove the empty lines")
