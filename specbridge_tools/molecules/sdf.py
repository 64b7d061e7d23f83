"""SDF (CTfile formats, V2000 and V3000) -> `RawMolecule`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from specbridge_tools.molecules.columns import ID_COLUMNS, NAME_COLUMNS, column_key
from specbridge_tools.molecules.missing import is_missing
from specbridge_tools.molecules.raw import BROKEN_RECORD, MAX_TEXT, TOO_LONG, RawMolecule, one_line
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange

END_OF_RECORD = "$$$$"
MAX_LINES_OF_A_RECORD = 100_000
MAX_CHARACTERS_OF_A_RECORD = 10_000_000
MAX_MOLFILE = 500_000
"""Characters: a thousand atoms, and their hydrogens, take half of it."""
_SHOWN = 100
_END_OF_MOLFILE = "M  END"
_ID_FIELDS = tuple(map(column_key, ID_COLUMNS))
_NAME_FIELDS = tuple(map(column_key, NAME_COLUMNS))
_FIELD = re.compile(r">[^<]*<(.+?)>")


def read_sdf(
    lines: Iterable[tuple[int, str]], name: str, record_range: RecordRange | None = None
) -> Iterator[RawMolecule | Rejection]:
    """Yield each record.

    The id is that of a data field with an id's name, else the title line; the name that of a field, else the title.

    Args:
        lines: Numbered.
        name: The file to name.
        record_range: Which records are wanted.
    """
    record_range = record_range or RecordRange()
    for record, (start, text, complete) in enumerate(_records(lines), start=1):
        if record_range.is_passed:
            return
        if not record_range.take():
            continue
        title = one_line(text[0]) if text else ""
        fields = _fields(text)
        identifier = _first(fields, _ID_FIELDS) or title or f"record={record}"
        name_of_record = _first(fields, _NAME_FIELDS) or title
        if max(len(identifier), len(name_of_record)) > MAX_TEXT:
            detail = f"an id or a name of more than {MAX_TEXT:,} characters"
            yield Rejection(TOO_LONG, identifier[:_SHOWN], record, start, name, detail)
        elif not complete:
            yield Rejection(TOO_LONG, identifier, record, start, name)
        elif len(ends := [i for i, line in enumerate(text) if line.startswith(_END_OF_MOLFILE)]) != 1:
            detail = f"{len(ends)} lines {_END_OF_MOLFILE!r} instead of 1"
            yield Rejection(BROKEN_RECORD, identifier, record, start, name, detail)
        elif sum(map(len, text[: ends[0]])) > MAX_MOLFILE:
            detail = f"a molfile of more than {MAX_MOLFILE:,} characters"
            yield Rejection(TOO_LONG, identifier, record, start, name, detail)
        else:
            block = "\n".join(text[: ends[0] + 1]) + "\n"
            yield RawMolecule(block, "mol", identifier, name_of_record, record, start)


def _records(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, list[str], bool]]:
    """Yield (number of the first line, lines, whether these are all lines of the record)."""
    start, complete, size = 1, True, 0
    text: list[str] = []
    for number, line in lines:
        if line.startswith(END_OF_RECORD):
            yield start, text, complete
            start, text, complete, size = number + 1, [], True, 0
            continue
        size += len(line)
        if len(text) < MAX_LINES_OF_A_RECORD and size <= MAX_CHARACTERS_OF_A_RECORD:
            text.append(line)
        else:
            complete = False
    if any(line.strip() for line in text):
        yield start, text, complete


def _fields(text: Sequence[str]) -> dict[str, str]:
    """Data fields of a record: {name, without case, blanks and signs: first line of the value}."""
    fields: dict[str, str] = {}
    for i, line in enumerate(text[:-1]):
        if line.startswith(">") and (match := _FIELD.match(line)):
            fields.setdefault(column_key(match[1]), one_line(text[i + 1]))
    return fields


def _first(fields: Mapping[str, str], wanted: Iterable[str]) -> str:
    return next((fields[name] for name in wanted if not is_missing(fields.get(name, ""))), "")
