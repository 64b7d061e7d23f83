"""The rows of a table of any program: what separates its cells, how they are quoted, where row names stand."""

from __future__ import annotations

import collections
import contextlib
import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar

from specbridge_tools.molecules.columns import structure_positions
from specbridge_tools.molecules.raw import looks_like_structure

# a quoted cell may go on over this many lines; a quote that nothing closes then costs its own line only
MAX_LINES_OF_A_ROW = 50
MAX_CELL = 1_000_000
MAX_ROW = 16 * MAX_CELL
DELIMITERS = ("\t", ",", ";", "|")
# as R's write.table does without being told a separator
_QUOTED_WORDS = re.compile(r'\s*"[^"]*"(?: "[^"]*")+\s*')
_QUOTED = re.compile(r'"[^"]*"')
_Item = TypeVar("_Item")
Row: TypeAlias = "tuple[int, list[str] | None]"
"""Number of its first line, from 1, and its cells; None for a line whose quote is never closed."""


def delimiter_of(header: str, input_format: str = "auto") -> str:
    """What separates the cells of a table with this header line.

    Args:
        header: The line.
        input_format: tsv, csv, or auto: then it is a tab where the line holds one, or nothing else that separates.
    """
    if input_format == "tsv" or (input_format == "auto" and "\t" in header):
        return "\t"
    if _QUOTED_WORDS.fullmatch(header):
        return " "
    bare = _QUOTED.sub("", header)
    if "," in bare or ";" in bare:
        return ";" if bare.count(";") > bare.count(",") else ","
    if "|" in bare:
        # MetFrag
        return "|"
    return "," if input_format == "csv" else "\t"


def table_format(header: str) -> str:
    """`tsv` where the cells under a header line are between tabs, or there is but one, else `csv`."""
    return "tsv" if delimiter_of(header) == "\t" else "csv"


def open_table(
    lines: Iterable[tuple[int, str]], *, input_format: str = "auto", smiles_column: str | None = None
) -> tuple[list[str], Iterator[Row]]:
    """(header, rows) of a table; the first line with text is the header, [] where there is none.

    Cells between tabs are taken as they are (a pair of quotes around a cell is removed); others follow RFC 4180. Lines
    without text are no rows. Where R has written row names, which have no name themselves, the header begins with ''.

    Args:
        lines: Numbered.
        input_format: tsv, csv or auto.
        smiles_column: The column of the structures, else found by its name.
    """
    lines = itertools.dropwhile(lambda numbered: not numbered[1].strip(), lines)
    first_line = next(lines, None)
    if first_line is None:
        return [], iter(())
    rows = _rows(itertools.chain([first_line], lines), delimiter_of(first_line[1].lstrip("\ufeff"), input_format))
    header = [cell.strip().lstrip("\ufeff") for cell in next((cells for _, cells in rows if cells is not None), [])]
    first = next(rows, None)
    if first is None:
        return header, iter(())
    if first[1] is not None and _has_row_names(header, first[1], smiles_column):
        header = ["", *header]
    return header, itertools.chain([first], rows)


def _has_row_names(header: Sequence[str], cells: Sequence[str], smiles_column: str | None) -> bool:
    """Whether the structures stand one cell right of their column's name."""
    if len(cells) != len(header) + 1:
        return False
    positions = structure_positions(header, smiles_column)
    named, right = ([cells[position + shift].strip() for position in positions] for shift in (0, 1))
    return not any(map(looks_like_structure, named)) and any(map(looks_like_structure, right))


def _rows(lines: Iterable[tuple[int, str]], delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
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
        with contextlib.suppress(csv.Error):
            return next(csv.reader([text], delimiter=delimiter, strict=True))
        # odd quotes: the cell goes on with the next lines
        added = _up_to_a_quote(lines, MAX_LINES_OF_A_ROW - len(more)) if text.count('"') % 2 else []
        more += added
        if not added or '"' not in added[-1][1] or len(text) > MAX_ROW:
            lines.push(more)
            return None
        text = "\n".join([text, *(following for _, following in added)])


def _up_to_a_quote(lines: _Pushable[tuple[int, str]], most: int) -> list[tuple[int, str]]:
    """The next lines, the last of which holds a quote, unless the file ends or there are `most` or too long ones."""
    taken: list[tuple[int, str]] = []
    size = 0
    for _ in range(most):
        following = next(lines, None)
        if following is None:
            break
        taken.append(following)
        size += len(following[1])
        if '"' in following[1] or size > MAX_ROW:
            break
    return taken


class _Pushable(Generic[_Item]):
    """An iterator that takes items back."""

    def __init__(self, items: Iterable[_Item]) -> None:
        self._items = iter(items)
        self._pushed: collections.deque[_Item] = collections.deque()

    def __iter__(self) -> Iterator[_Item]:
        return self

    def __next__(self) -> _Item:
        return self._pushed.popleft() if self._pushed else next(self._items)

    def push(self, items: Sequence[_Item]) -> None:
        """Give items back, to come next."""
        self._pushed.extendleft(reversed(items))
