"""TSV and CSV with a header -> `RawMolecule`."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from specbridge_tools.molecules.columns import Columns, find_columns, value_of
from specbridge_tools.molecules.raw import (
    TOO_LONG,
    TOO_MANY_FIELDS,
    UNBALANCED_QUOTE,
    RawMolecule,
    structure_kind,
)
from specbridge_tools.records import NO_STRUCTURE, Rejection
from specbridge_tools.shards import RecordRange

# a quoted cell may go on over this many lines; a quote that nothing closes then costs its own line only
MAX_LINES_OF_A_ROW = 50
_MAX_CELL = 1_000_000
_Item = TypeVar("_Item")


def read_table(
    lines: Iterable[tuple[int, str]],
    name: str,
    *,
    delimiter: str,
    smiles_column: str | None = None,
    record_range: RecordRange | None = None,
) -> Iterator[RawMolecule | Rejection]:
    """Yield each row; the first line with text is the header.

    Cells between tabs are taken as they are (a pair of quotes around a cell is removed); others follow RFC 4180. Lines
    without text are no rows.

    Args:
        lines: Numbered.
        name: The file to name.
        delimiter: What separates the cells.
        smiles_column: The column of the structures, else found by its name.
        record_range: Which rows are wanted.

    Raises:
        DataError: No column holds structures.
    """
    record_range = record_range or RecordRange()
    rows = table_rows(lines, delimiter)
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


def _record(
    cells: Sequence[str], columns: Columns, width: int, record: int, line: int, source: str
) -> RawMolecule | Rejection:
    def cell(position: int | None) -> str:
        return value_of(cells[position]) if position is not None and position < len(cells) else ""

    identifier = cell(columns.id) or f"record={record}"
    if any(len(text) > _MAX_CELL for text in cells):
        return Rejection(TOO_LONG, identifier, record, line, source)
    if any(text.strip() for text in cells[width:]):
        return Rejection(TOO_MANY_FIELDS, identifier, record, line, source, f"{len(cells)} instead of {width}")
    structure = cell(columns.smiles) or cell(columns.inchi)
    if not structure:
        return Rejection(NO_STRUCTURE, identifier, record, line, source)
    return RawMolecule(structure, structure_kind(structure), identifier, cell(columns.name), record, line)


def table_rows(lines: Iterable[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Yield (number of its first line, cells), or (number, None) for a line whose quote is never closed."""
    csv.field_size_limit(max(csv.field_size_limit(), 16 * _MAX_CELL))
    pushable = _Pushable(lines)
    for number, line in pushable:
        if not line.strip():
            continue
        if delimiter == "\t":
            yield number, [_unquoted(cell) for cell in line.split("\t")]
        elif '"' not in line:
            yield number, line.split(delimiter)
        else:
            yield number, _quoted(pushable, line, delimiter)


def _unquoted(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        return cell[1:-1].replace('""', '"')
    return cell


def _quoted(lines: _Pushable[tuple[int, str]], line: str, delimiter: str) -> list[str] | None:
    """The cells of a row that begins with `line`; None, with no other line taken, where a quote is never closed."""
    more: list[tuple[int, str]] = []
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


class _Pushable(Generic[_Item]):
    """An iterator that takes items back."""

    def __init__(self, items: Iterable[_Item]) -> None:
        self._items = iter(items)

    def __iter__(self) -> Iterator[_Item]:
        return self

    def __next__(self) -> _Item:
        return next(self._items)

    def push(self, items: Iterable[_Item]) -> None:
        """Give items back, to come next."""
        self._items = itertools.chain(items, self._items)
