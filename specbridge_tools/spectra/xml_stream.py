"""XML read as a stream, and the numbers packed in it: what mzML and mzXML share."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Sequence

from lxml import etree

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.text import UTF8_MARK, ByteStream

BLOCK = 1 << 18
_DOCTYPE = b"<!DOCTYPE"
# Encodings in which ASCII is ASCII: in any other a document type could hide.
_BEGINS_IN_ASCII = re.compile(rb"\s*(?:<[!?A-Za-z_]|\Z)")
_DECLARATION = re.compile(rb"\s*<\?xml\s[^>]*?\bencoding\s*=\s*[\"']([^\"']*)")
_ASCII_CODES = re.compile(rb"utf-?8|(?:us-)?ascii|iso-?8859-\d+|latin-?\d|windows-12\d\d|cp12\d\d", re.IGNORECASE)


def read_elements(
    stream: ByteStream,
    source: str,
    *,
    tags: Sequence[str],
    roots: Sequence[str],
    events: Sequence[str] = ("end",),
) -> Iterator[tuple[str, etree._Element, str]]:
    """Yield (event, element, local tag) of these tags; elements are emptied once they have ended.

    Nothing outside of the file is ever read: a document type is refused before the parser sees it, and the parser
    neither loads one nor resolves entities nor goes online.

    Args:
        stream: The file, unzipped.
        source: The name to show.
        tags: Local names.
        roots: Local names, of which the root must have one.
        events: `end`, and `start` where elements of `tags` are nested.

    Raises:
        DataError: The XML is broken or cut off; its sound elements were yielded.
        FormatError: It has a document type, another root, or no 8-bit encoding.
    """
    parser = etree.XMLPullParser(
        events=events,
        tag=[f"{{*}}{tag}" for tag in tags],
        huge_tree=True,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        collect_ids=False,
    )
    broken = None
    tail = None
    try:
        while block := stream.read(BLOCK):
            if tail is None:
                tail = b""
                _check_encoding(block, source)
            if _DOCTYPE in tail + block:
                raise FormatError(f"is XML with a document type, which {roots[0]} never has", where=source)
            tail = block[1 - len(_DOCTYPE) :]
            parser.feed(block)
            yield from _read(parser)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        broken = error
    yield from _read(parser)
    if broken is not None:
        line = broken.lineno if broken.lineno and broken.lineno > 0 else None
        advice = "copy or convert it again"
        raise DataError(f"broken or cut off XML ({broken.msg})", where=source, line=line, advice=advice) from broken
    name = etree.QName(root).localname
    if name not in roots:
        raise FormatError(f"is XML, but not {roots[0]} (<{name}>)", where=source)


def _check_encoding(head: bytes, source: str) -> None:
    head = head.removeprefix(UTF8_MARK)
    declared = _DECLARATION.match(head)
    if declared and not _ASCII_CODES.fullmatch(declared[1]):
        encoding = declared[1][:40].decode("ascii", errors="replace")
        raise FormatError(f"is XML in the encoding {encoding!r}", where=source, advice="convert it to UTF-8")
    if not _BEGINS_IN_ASCII.match(head):
        raise FormatError("is not XML in UTF-8", where=source)


def _read(parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element, str]]:
    for event, element in parser.read_events():
        yield event, element, etree.QName(element).localname
        if event == "end":
            element.clear()
        # whatever precedes an element has ended
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


def line_of(element: etree._Element) -> int:
    """The line of an element; 0 beyond 65,534, where libxml2 counts no further."""
    return element.sourceline if element.sourceline and element.sourceline < 65535 else 0


def unpacked(text: str, *, compressed: bool, size: int) -> bytes:
    """Base64 -> exactly `size` bytes, decompressed with zlib if `compressed`; never many more in memory.

    Raises:
        Unusable: It cannot be decoded, or its size is another.
    """
    # one byte more than expected, to see that there is more
    data = unpacked_some(text, compressed=compressed, most=size + 1)
    if len(data) != size:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"expected {size} bytes, found {len(data)}")
    return data


def unpacked_some(text: str, *, compressed: bool, most: int) -> bytes:
    """Base64 -> bytes; if `compressed`, decompressed with zlib, of which only the first `most` bytes are taken.

    Raises:
        Unusable: It cannot be decoded.
    """
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
        return zlib.decompressobj().decompress(data, most) if compressed and data else data
    except (binascii.Error, ValueError, zlib.error) as error:
        raise Unusable(reasons.ARRAY_NOT_DECODED, str(error)) from None


def array_length(text: str | None) -> int:
    """The number that an attribute declares.

    Raises:
        Unusable: It is none.
    """
    text = text or ""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"array length {text!r}")
    return int(text)
