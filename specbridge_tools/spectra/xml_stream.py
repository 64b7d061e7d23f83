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
from specbridge_tools.spectra.limits import MAX_NODES, XML_FACTOR
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.text import UTF8_MARK, ByteStream

BLOCK = 1 << 18
_DOCTYPE = b"<!DOCTYPE"
_WHITE_SPACE = b" \t\n\r\v\f"
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
    reading: Reading,
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
        reading: Its limits hold for what stands between two elements of `tags`, too.
        events: `end`, and `start` where elements of `tags` are nested.

    Raises:
        DataError: The XML is broken or cut off, or one of its elements is beyond the limits; its sound elements were
            yielded.
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
    room = _Room(source, reading)
    try:
        while block := stream.read(BLOCK):
            if tail is None:
                tail = b""
                _check_encoding(block, source)
            if _DOCTYPE in tail + block:
                raise FormatError(f"is XML with a document type, which {roots[0]} never has", where=source)
            tail = block[1 - len(_DOCTYPE) :]
            parser.feed(block)
            n_elements = 0
            for found in _read(parser):
                n_elements += 1
                yield found
            room.take(block, is_new=n_elements > 0)
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


class _Room:
    """What the parser holds since the last element that was read: no more than the limits allow."""

    def __init__(self, source: str, reading: Reading) -> None:
        self._source = source
        self._most_bytes = XML_FACTOR * reading.max_record_size
        self._n_bytes = 0
        self._n_nodes = 0

    def take(self, block: bytes, *, is_new: bool) -> None:
        """Count a block, alone where elements in it `is_new`; raises `DataError` beyond the limits."""
        if is_new:
            self._n_bytes = self._n_nodes = 0
        self._n_bytes += len(block)
        self._n_nodes += block.count(b"<") + block.count(b"=")
        advice = "--max-record-size raises the limit"
        if self._n_bytes > self._most_bytes + BLOCK:
            raise DataError(
                f"holds an element of more than {self._most_bytes:,} bytes", where=self._source, advice=advice
            )
        if self._n_nodes > MAX_NODES:
            message = f"holds more than {MAX_NODES:,} elements and attributes in one place"
            raise DataError(message, where=self._source, advice="is it whole?")


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
        # not by QName, which refuses a namespace that holds a brace
        yield event, element, str(element.tag).rpartition("}")[2]
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
    # white space may stand anywhere in it, and more of it than numbers
    packed = text.encode().translate(None, _WHITE_SPACE) if text.isascii() else "".join(text.split()).encode()
    if not compressed and len(packed) > 2 * most + 100:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"expected {most - 1} bytes, found {len(packed) * 3 // 4}")
    try:
        data = base64.b64decode(packed, validate=True)
        return zlib.decompressobj().decompress(data, most) if compressed and data else data
    except (binascii.Error, ValueError, zlib.error) as error:
        raise Unusable(reasons.ARRAY_NOT_DECODED, str(error)) from None


def array_length(text: str | None, most: int) -> int:
    """The number that an attribute declares.

    Raises:
        Unusable: It is none, or above `most`.
    """
    text = text or ""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"array length {text!r}")
    if int(text) > most:
        raise Unusable(reasons.TOO_MANY_PEAKS, f"{text}, more than {most:,}")
    return int(text)
