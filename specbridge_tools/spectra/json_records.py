"""The objects of a JSON file, one at a time, none of them larger or deeper than it may be.

By the events of ijson: its own `items` builds any value, so that a file of brackets takes all memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import ijson

from specbridge_tools.errors import FormatError
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.text import UTF8_MARK, ByteStream

MAX_VALUES = 1_000_000
MAX_DEPTH = 32
_HOPELESS_DEPTH = 1000
_BLOCK = 1 << 16
_ADVICE = "is it a library of spectra? --max-record-size raises the limit"
_OPENS = {"start_map": dict, "start_array": list}
Json: TypeAlias = "dict[str, Any] | list[Any] | str | int | float | bool | None"
"""A value; numbers with a point are `decimal.Decimal`, which is written as it was in the file."""
# what the backends of ijson raise on broken files; the last three for numbers of thousands of digits
JSON_ERRORS = (ijson.JSONError, UnicodeDecodeError, SystemError, ValueError, ArithmeticError)


def read_json_values(stream: ByteStream, source: str, *, most_bytes: int) -> Iterator[Json | Unusable]:
    """Yield the values of an array, or the value of a file of one object, or of many one after the other (JSON lines).

    A value of too many parts, or nested too deeply, is `Unusable`.

    Raises:
        FormatError: It is not JSON, or not to its end, or a value has more than `most_bytes`; what precedes was
            yielded.
    """
    bounded = BoundedStream(stream, source, most_bytes=most_bytes, advice=_ADVICE)
    builder = ValueBuilder()
    depth = 0  # 1 within the array that holds the records
    try:
        for event, value in ijson.basic_parse(bounded, multiple_values=True, buf_size=_BLOCK):
            if builder.is_idle and event == "start_array" and depth == 0:
                depth = 1
            elif builder.is_idle and event == "end_array":
                depth = 0
            elif builder.take(event, value):
                bounded.n_read = 0
                yield builder.result()
    except JSON_ERRORS as error:
        what = f"is not JSON, or not to its end ({json_reason(error)})"
        raise FormatError(what, where=source, advice="download it again") from error


def json_reason(error: Exception) -> str:
    """What one of `JSON_ERRORS` says, in one line."""
    first = (str(error.args[0] if error.args else error).strip("b'\"").splitlines() or ["?"])[0]
    too_large = isinstance(error, SystemError) or "int_max_str_digits" in first  # by the backend of ijson
    return "a number too large" if too_large else first.split("\\n")[0]


class BoundedStream:
    """A file for ijson of which no more may be read than a value holds, until `n_read` is set to 0 again.

    What is read together with the end of the value before does not count.
    """

    def __init__(self, stream: ByteStream, source: str, *, most_bytes: int, advice: str) -> None:
        self._stream = stream
        self._source = source
        self._most_bytes = most_bytes
        self._advice = advice
        self._is_first = True
        self.n_read = 0

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size if size >= 0 else _BLOCK)
        if self._is_first and block:
            # ijson reads nothing first, to see what it gets
            block, self._is_first = block.removeprefix(UTF8_MARK), False
        self.n_read += len(block)
        if block and self.n_read - len(block) > self._most_bytes:
            what = f"holds a JSON value of more than {self._most_bytes:,} bytes"
            raise FormatError(what, where=self._source, advice=self._advice)
        return block


class ValueBuilder:
    """Makes one value of its events, which is `Unusable` where it has too many parts or is nested too deeply."""

    def __init__(self) -> None:
        self._open: list[Any] = []
        self._keys: list[str] = []
        self._depth = 0
        self._n_values = 0
        self._problem: Unusable | None = None
        self._value: Json = None

    @property
    def is_idle(self) -> bool:
        """Whether no value is open."""
        return self._depth == 0

    def take(self, event: str, value: Any) -> bool:
        """Take an event; returns whether a value is complete."""
        if event in _OPENS:
            self._depth += 1
            self._n_values += 1
            if self._depth > _HOPELESS_DEPTH:
                raise ijson.JSONError(f"nested more than {_HOPELESS_DEPTH} deep")
            if self._depth > MAX_DEPTH or self._n_values > MAX_VALUES:
                self._refuse(self._depth)
            if self._problem is None:
                container = _OPENS[event]()
                self._place(container)
                self._open.append(container)
                self._keys.append("")
            return False
        if event in ("end_map", "end_array"):
            self._depth -= 1
            if self._problem is None:
                self._value = self._open.pop()
                self._keys.pop()
        elif event == "map_key":
            if self._problem is None:
                self._keys[-1] = value
            return False
        else:
            self._n_values += 1
            if self._n_values > MAX_VALUES:
                self._refuse(self._depth)
            if self._problem is None:
                self._place(value)
        return self._depth == 0

    def result(self) -> Json | Unusable:
        """The complete value; the builder is then as new."""
        result = self._problem or self._value
        self.__init__()  # type: ignore[misc]
        return result

    def _refuse(self, depth: int) -> None:
        detail = f"nested more than {MAX_DEPTH} deep" if depth > MAX_DEPTH else f"more than {MAX_VALUES:,} values"
        self._problem = self._problem or Unusable(reasons.RECORD_TOO_LONG, detail)
        self._open, self._keys, self._value = [], [], None

    def _place(self, value: Any) -> None:
        if not self._open:
            self._value = value
        elif isinstance(self._open[-1], dict):
            self._open[-1].setdefault(self._keys[-1], value)
        else:
            self._open[-1].append(value)
