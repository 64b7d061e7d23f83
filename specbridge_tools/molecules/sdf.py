"""SDF (CTfile formats, V2000 and V3000) -> `RawMolecule`."""

import re

from specbridge_tools.molecules.columns import ID_COLUMNS, NAME_COLUMNS, normalised
from specbridge_tools.molecules.raw import BROKEN_RECORD, TOO_LONG, RawMolecule, one_line
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange

END_OF_RECORD = "$$$$"
MAX_LINES_OF_A_RECORD = 100_000
_END_OF_MOLFILE = "M  END"
_FIELD = re.compile(r">.*?<(.+?)>")


def read_sdf(lines, name, record_range=None):
    """Yield `RawMolecule | Rejection` for each record of `lines` (numbered).

    The id is that of a data field with an id's name, else the title line; the name that of a field, else the title.
    `record_range` (`RecordRange`) says which are wanted.
    """
    record_range = record_range or RecordRange()
    for record, (start, text, whole) in enumerate(_records(lines), start=1):
        if record_range.is_passed:
            return
        if not record_range.take():
            continue
        title = one_line(text[0]) if text else ""
        fields = _fields(text)
        identifier = _first(fields, ID_COLUMNS) or title or f"record={record}"
        place = {"id": identifier, "record": record, "line": start, "source": name}
        if not whole:
            yield Rejection(TOO_LONG, **place)
        elif len(ends := [i for i, line in enumerate(text) if line.startswith(_END_OF_MOLFILE)]) != 1:
            yield Rejection(BROKEN_RECORD, **place, detail=f"{len(ends)} lines {_END_OF_MOLFILE!r} instead of 1")
        else:
            block = "\n".join(text[: ends[0] + 1]) + "\n"
            yield RawMolecule(block, "mol", identifier, _first(fields, NAME_COLUMNS) or title, record, start)


def _records(lines):
    """Yield (number of the first line, lines, whether all of them are there)."""
    start, text, whole = 1, [], True
    for number, line in lines:
        if line.startswith(END_OF_RECORD):
            yield start, text, whole
            start, text, whole = number + 1, [], True
        elif len(text) < MAX_LINES_OF_A_RECORD:
            text.append(line)
        else:
            whole = False
    if any(line.strip() for line in text):
        yield start, text, whole


def _fields(text):
    """Data fields of a record: {normalised name: first line of the value}."""
    fields = {}
    for i, line in enumerate(text[:-1]):
        if line.startswith(">") and (match := _FIELD.match(line)):
            fields.setdefault(normalised(match[1]), one_line(text[i + 1]))
    return fields


def _first(fields, wanted):
    return next((fields[name] for name in wanted if fields.get(name)), "")
