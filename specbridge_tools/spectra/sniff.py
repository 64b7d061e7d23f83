"""The format of a file of spectra, by its content."""

from __future__ import annotations

import re

from specbridge_tools.content import HDF5_SIGNATURE, beginning, binary_format, refuse_blank, text_format
from specbridge_tools.errors import FormatError
from specbridge_tools.spectra.text import UTF8_MARK

HEAD = 1 << 16
EXPECTED = (
    "expected MGF, MSP, mzML, mzXML, mzMLb, MassBank records, SIRIUS .ms, mzSpecLib or JSON of MoNA or GNPS, "
    "plain or gzip"
)
_XML = ((re.compile(rb"<(?:\w+:)?(?:indexed)?mzML[\s>]"), "mzml"), (re.compile(rb"<(?:\w+:)?mzXML[\s>]"), "mzxml"))
# MoNA: lists of a spectrum's compounds and metadata; GNPS: keys that no other JSON has
_JSON = re.compile(rb'"(?:compound|metaData)"\s*:\s*\[|"peaks_json"\s*:|"precursor_mz"\s*:', re.IGNORECASE)
_FLAGS = re.IGNORECASE | re.MULTILINE
_TEXT = (
    (re.compile(rb"^[ \t]*BEGIN[ \t]+IONS[ \t]*\r?$", _FLAGS), "mgf"),
    (re.compile(rb"^[ \t]*(?:num[ _]?peaks|name)[ \t]*:", _FLAGS), "msp"),
    (re.compile(rb"^(?:(?:CH|AC|MS|PK)\$[A-Z_]+|RECORD_TITLE):", re.MULTILINE), "massbank"),
    (re.compile(rb"^[ \t]*>[ \t]*compound(?:[ \t].*)?$", _FLAGS), "sirius"),
)


def sniff(head: bytes, name: str) -> str | None:
    """The format of a file that begins with `head`: mgf, msp, mzml, ..., or None for one without content.

    Raises:
        FormatError: It is any other.
    """
    if head.startswith(HDF5_SIGNATURE):
        # its reader sees what it holds
        return "mzmlb"
    text = head.removeprefix(UTF8_MARK).lstrip()
    if not text:
        refuse_blank(head, name, HEAD)
        return None
    if text.startswith((b"{", b"[")) and _JSON.search(text) and b'"query_id"' not in text:
        return "json"
    if other := binary_format(text) or text_format(text):
        raise FormatError(f"is {other}", where=name, advice=EXPECTED)
    if text[:10].lower() == b"<mzspeclib":
        return "mzspeclib"
    if text.startswith(b"<"):
        return _sniff_xml(text, name)
    lines = text.replace(b"\r", b"\n")
    for pattern, file_format in _TEXT:
        if pattern.search(lines):
            return file_format
    raise FormatError(f"is of no known format; it begins with {beginning(text)}", where=name, advice=EXPECTED)


def _sniff_xml(text: bytes, name: str) -> str:
    for root, file_format in _XML:
        if root.search(text):
            return file_format
    first = re.search(rb"<([\w:]+)", text)
    element = first[1].decode() if first else "?"
    raise FormatError(f"is XML, but neither mzML nor mzXML (<{element}>)", where=name, advice=EXPECTED)
