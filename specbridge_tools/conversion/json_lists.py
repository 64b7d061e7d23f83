"""A JSON object of lists, read entry by entry: the candidate files of benchmarks are larger than the memory."""

from __future__ import annotations

from collections.abc import Iterator

import ijson

from specbridge_tools.content import beginning
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.lines import joined
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.json_records import JSON_ERRORS, BoundedStream, Json, ValueBuilder, json_reason
from specbridge_tools.streams import Source, display_name, open_input

MAX_ENTRY = 1 << 23
"""Bytes of a list with its name; a list of 256 SMILES has some 20,000."""
_HEAD = 1 << 12
_CHUNK = 1 << 16
_MARK = b"\xef\xbb\xbf"
_ADVICE = "expected a JSON object of lists of SMILES, as MassSpecGym publishes its candidates"


def read_json_lists(source: Source) -> Iterator[tuple[str, list[str]]]:
    """Yield (name, list) for each entry of a JSON object in UTF-8, gzip or not, lazily.

    Raises:
        FormatError: It is not a JSON object, or not to its end, or an entry has more than `MAX_ENTRY` bytes.
        DataError: The value of an entry, which is named, is not a list of strings.
    """
    name = display_name(source)
    with open_input(source) as stream:
        head = stream.read(_HEAD).removeprefix(_MARK)
        if not head.lstrip().startswith(b"{"):
            raise FormatError(f"is not a JSON object; it begins with {beginning(head)}", where=name, advice=_ADVICE)
        bounded = BoundedStream(joined(head, stream), name, most_bytes=MAX_ENTRY, advice=_ADVICE)
        try:
            yield from _entries(bounded, name)
        except JSON_ERRORS as error:
            raise FormatError(f"is not JSON ({json_reason(error)})", where=name, advice=_ADVICE) from error


def _entries(bounded: BoundedStream, name: str) -> Iterator[tuple[str, list[str]]]:
    """The entries of the object; by events, since `ijson.kvitems` takes memory that grows with the square of depth."""
    builder = ValueBuilder()
    key, depth = "", 0  # 1 within the object
    for event, value in ijson.basic_parse(bounded, buf_size=_CHUNK):
        if depth == 0:
            depth = 1
        elif builder.is_idle and event == "end_map":
            depth = 0
        elif builder.is_idle and event == "map_key":
            key = value
        elif builder.take(event, value):
            bounded.n_read = 0
            yield key, _list(builder.result(), key, name)


def _list(values: Json | Unusable, key: str, name: str) -> list[str]:
    if isinstance(values, Unusable):
        raise DataError(f"the value of {key[:80]!r} is too large: {values.detail}", where=name, advice=_ADVICE)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise DataError(f"the value of {key[:80]!r} is not a list of strings", where=name, advice=_ADVICE)
    return values
