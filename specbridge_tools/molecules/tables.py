"""TSV and CSV with a header -> `RawMolecule`."""

import csv
import itertools

from specbridge_tools.molecules.columns import find_columns
from specbridge_tools.molecules.raw import (
    NO_STRUCTURE_FIELD,
    TOO_LONG,
    TOO_MANY_FIELDS,
    UNBALANCED_QUOTE,
    RawMolecule,
    one_line,
    structure_kind,
)
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange

# a quoted cell may go on over this many lines; a quote that nothing closes then costs its own line only
MAX_LINES_OF_A_ROW = 50
_MAX_CELL = 1_000_000


def read_table(lines, name, *, delimiter, smiles_column=None, record_range=None):
    """Yield `RawMolecule | Rejection` for each row; `lines` are numbered, the first with text is the header.

    Cells of a table parted by tabs are taken as they stand (a pair of quotes around a cell is removed); others follow
    RFC 4180. Lines without text are no rows; `record_range` (`RecordRange`) says which rows are wanted. Raises `DataError`
    where no column holds structures.
    """
    record_range = record_range or RecordRange()
    rows = _rows(lines, delimiter)
    header = next((cells for _, cells in rows if cells is not None), [])
    columns = find_columns([cell.strip().lstrip("\ufeff") for cell in header], smiles_column=smiles_column, where=name)
    for record, (line, cells) in enumerate(rows, start=1):
        if not record_range.take():
            continue
        if cells is None:
            yield Rejection(UNBALANCED_QUOTE, id=f"record={record}", record=record, line=line, source=name)
        else:
            yield _record(cells, columns, len(header), record, line, name)
        if record_range.is_passed:
            return


def _record(cells, columns, width, record, line, source):
    def cell(position):
        return one_line(cells[position]) if position is not None and position < len(cells) else ""

    identifier = cell(columns.id) or f"record={record}"
    place = {"id": identifier, "record": record, "line": line, "source": source}
    if any(len(text) > _MAX_CELL for text in cells):
        return Rejection(TOO_LONG, **place)
    if any(text.strip() for text in cells[width:]):
        return Rejection(TOO_MANY_FIELDS, **place, detail=f"{len(cells)} instead of {width}")
    structure = cell(columns.smiles) or cell(columns.inchi)
    if not structure:
        return Rejection(NO_STRUCTURE_FIELD, **place)
    return RawMolecule(structure, structure_kind(structure), identifier, cell(columns.name), record, line)


def _rows(lines, delimiter):
    """Yield (number of its first line, cells), or (number, None) for a line whose quote is never closed."""
    csv.field_size_limit(max(csv.field_size_limit(), 16 * _MAX_CELL))
    for number, line in (lines := _Pushable(lines)):
        if not line.strip():
            continue
        if delimiter == "\t":
            yield number, [_unquoted(cell) for cell in line.split("\t")]
        elif '"' not in line:
            yield number, line.split(delimiter)
        else:
            yield number, _quoted(lines, line, delimiter)


def _unquoted(cell):
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell


def _quoted(lines, line, delimiter):
    more = []
    text = line
    while True:
        try:
            return next(csv.reader([text], delimiter=delimiter, strict=True))
        except csv.Error:
            # odd quotes: the cell goes on with the next line
            following = next(lines, None) if len(more) < MAX_LINES_OF_A_ROW and text.count('"') % 2 else None
        if following is None:
            lines.push(more)
            return None
        more.append(following)
        text += "\n" + following[1]


class _Pushable:
    """An iterator that takes items back."""

    def __init__(self, items):
        self._items = iter(items)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._items)

    def push(self, items):
        self._items = itertools.chain(items, self._items)
