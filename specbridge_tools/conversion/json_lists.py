"""A JSON object of lists, read entry by entry: the candidate files of benchmarks are larger than the memory."""

from __future__ import annotations

from collections.abc import Iterator

import ijson

from specbridge_tools.content import beginning
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.lines import joined
from specbridge_tools.streams import Source, display_name, open_input

_HEAD = 1 << 12
_CHUNK = 1 << 18
_MARK = b"\xef\xbb\xbf"
_ADVICE = "expected a JSON object of lists of SMILES, as MassSpecGym publishes its candidates"


def read_json_lists(source: Source) -> Iterator[tuple[str, list[str]]]:
    """Yield (name, list) for each entry of a JSON object in UTF-8, gzip or not, lazily.

    Raises:
        FormatError: It is not a JSON object, or not to its end.
        DataError: The value of an entry, which is named, is not a list of strings.
    """
    name = display_name(source)
    with open_input(source) as stream:
        head = stream.read(_HEAD).removeprefix(_MARK)
        if not head.lstrip().startswith(b"{"):
            raise FormatError(f"is not a JSON object; it begins with {beginning(head)}", where=name, advice=_ADVICE)
        try:
            for key, values in ijson.kvitems(joined(head, stream), "", buf_size=_CHUNK):
                if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                    raise DataError(f"the value of {key[:80]!r} is not a list of strings", where=name)
                yield key, values
        except (ijson.JSONError, UnicodeDecodeError) as error:
            reason = (str(error).splitlines() or ["?"])[0]
            raise FormatError(f"is not JSON ({reason})", where=name, advice=_ADVICE) from error
