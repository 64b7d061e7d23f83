"""A JSON object of lists, read entry by entry: the candidate files of benchmarks are larger than the memory."""

import io
import json
import re

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.streams import display_name, open_input

_CHUNK = 1 << 20
_MOST = 1 << 26
_BLANK = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def read_json_lists(source):
    """Yield (name, list of str) for each entry of a JSON object (path, `-` or binary file, gzip or not), lazily.

    Raises `FormatError` where it is no JSON object, `DataError` naming the entry whose value is no list of strings.
    """
    name = display_name(source)
    with open_input(source) as stream:
        text = _Text(io.TextIOWrapper(stream, encoding="utf-8-sig"), name)
        try:
            text.expect("{", "an object")
            if text.next_is("}"):
                return
            while True:
                key = text.value()
                text.expect(":", "a colon")
                values = text.value()
                if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                    raise DataError(f"the value of {str(key)[:80]!r} is no list of strings", where=name)
                yield key, values
                if text.next_is("}"):
                    return
                text.expect(",", "a comma")
        except UnicodeDecodeError as error:
            raise FormatError("is not UTF-8 text", where=name) from error
        finally:
            text.stream.detach()


class _Text:
    """The part of a JSON text that is in memory, and what follows."""

    def __init__(self, stream, name):
        self.stream = stream
        self._name = name
        self._text = ""
        self._at = 0

    def value(self):
        """The JSON value that comes next: a string, or a list."""
        self._skip_blank()
        while True:
            try:
                value, self._at = _decode(self._text, self._at)
                return value
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > _MOST or not self._read():
                    raise self._error(f"is not JSON ({error.msg})") from None

    def next_is(self, letter):
        """Whether `letter` comes next; it stays."""
        self._skip_blank()
        return self._text[self._at : self._at + 1] == letter

    def expect(self, letter, what):
        """Pass over `letter`."""
        if not self.next_is(letter):
            raise self._error(f"{what} was expected")
        self._at += 1

    def _skip_blank(self):
        self._at = _BLANK.match(self._text, self._at).end()
        while self._at == len(self._text) and self._read():
            self._at = _BLANK.match(self._text, self._at).end()

    def _read(self):
        """Drop what has been read, add a chunk; False at the end."""
        chunk = self.stream.read(_CHUNK)
        self._text, self._at = self._text[self._at :] + chunk, 0
        return bool(chunk)

    def _error(self, message):
        begin = self._text[self._at : self._at + 40]
        found = f"{message} before {begin!r}" if begin else f"{message} at its end"
        advice = "expected a JSON object of lists of SMILES, as MassSpecGym publishes its candidates"
        return FormatError(found, where=self._name, advice=advice)
