"""Spectra from a file of any format that we know, recognised by its content."""

import collections
import logging
import re
from collections.abc import Iterator

from specbridge_tools.errors import FormatError, UsageError
from specbridge_tools.records import Rejection
from specbridge_tools.shards import Counter
from specbridge_tools.spectra.mgf import read_mgf
from specbridge_tools.spectra.msp import read_msp
from specbridge_tools.spectra.mzml import read_mzml
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import display_name, open_input

_READERS = {"mgf": read_mgf, "msp": read_msp, "mzml": read_mzml}
FORMATS = ("auto", *_READERS)
HEAD = 1 << 16
_EXPECTED = "expected MGF, MSP or mzML, plain or gzip"
_OTHER_FORMATS = (
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x1f\x8b", "gzip within gzip"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
    (b"%PDF", "a PDF"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
_logger = logging.getLogger(__name__)


def read_spectra(source, *, input_format="auto", skipped=None, record_range=None) -> Iterator[Spectrum | Rejection]:
    """Yield each record of `source` (path, `-` or open binary file) as a `Spectrum` or a `Rejection`, lazily.

    `input_format` is mgf, msp or mzml, or auto: by the first 64 KB of the content, gzip seen through. MS1 spectra are
    no queries: they are neither yielded nor rejected but counted in `skipped` (a `collections.Counter`), and their
    number is logged at the end. A file without any record, an empty one too, yields nothing. The reasons of
    rejections are listed in `spectra.reasons`. `record_range` (`shards.RecordRange`) says which records are wanted.

    Raises `FormatError` for a file of no known format and `DataError` where it cannot be read to its end.
    """
    if input_format not in FORMATS:
        raise UsageError(f"no format {input_format!r}", advice=f"one of {', '.join(FORMATS)}")
    return _read(source, input_format, collections.Counter() if skipped is None else skipped, record_range)


def count_spectra(source, *, input_format="auto"):
    """How many records a file has, as a `RecordRange` counts them; peaks are not looked at."""
    counter = Counter()
    collections.deque(read_spectra(source, input_format=input_format, record_range=counter), maxlen=0)
    return counter.n


def _read(source, input_format, skipped, record_range):
    name = display_name(source)
    before = collections.Counter(skipped)
    with open_input(source) as stream:
        head = stream.read(HEAD)
        if input_format == "auto":
            input_format = sniff(head, name)
        if input_format is not None:
            yield from _READERS[input_format](_Continued(head, stream), name, skipped, record_range)
    for reason, count in (skipped - before).items():
        _logger.info("%s: %d spectra skipped (%s)", name, count, reason)


def count_values(stream, value_of, *, input_format="auto"):
    """How many spectra of a rewindable file have each value; rejected records count for none.

    value_of  spectrum -> its value, '' for none. The file is at its start before and after.
    """
    usable = (each for each in read_spectra(stream, input_format=input_format) if not isinstance(each, Rejection))
    counts = collections.Counter(filter(None, map(value_of, usable)))
    stream.seek(0)
    return counts


class _Continued:
    """A stream whose first bytes were read already."""

    def __init__(self, head, stream):
        self._head = head
        self._stream = stream

    def read(self, size):
        if self._head:
            block, self._head = self._head[:size], self._head[size:]
            return block
        return self._stream.read(size)


def sniff(head, name):
    """The format of a file that begins with `head`: mgf, msp, mzml, or None for one without content.

    Raises `FormatError` for any other.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return None
    for magic, what in _OTHER_FORMATS:
        if text.startswith(magic):
            raise FormatError(f"is {what}", where=name, advice=_EXPECTED)
    if text.startswith(b"<"):
        if re.search(rb"<(?:\w+:)?(?:indexed)?mzML[\s>]", text):
            return "mzml"
        found = re.search(rb"<([\w:]+)", text)
        root = found[1].decode() if found else "?"
        raise FormatError(f"is XML, but not mzML (<{root}>)", where=name, advice=_EXPECTED)
    if re.search(rb"^[ \t]*BEGIN[ \t]+IONS[ \t]*\r?$", _lines(text), re.IGNORECASE | re.MULTILINE):
        return "mgf"
    if re.search(rb"^[ \t]*(?:num[ _]?peaks|name)[ \t]*:", _lines(text), re.IGNORECASE | re.MULTILINE):
        return "msp"
    begin = text.splitlines()[0][:40].decode("ascii", errors="replace").replace("\ufffd", "?")
    printable = "".join(letter if letter.isprintable() else "?" for letter in begin)
    raise FormatError(f"is of no known format; it begins with {printable!r}", where=name, advice=_EXPECTED)


def _lines(text):
    return text.replace(b"\r", b"\n")
