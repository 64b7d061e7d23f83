"""The rows of a hits table as text, from whatever program wrote it: us, R, or a spreadsheet."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO, TypeAlias

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.rows import delimiter_of
from specbridge_tools.streams import Source, display_name, open_input

if TYPE_CHECKING:
    import _csv

REQUIRED = ("query_id", "score", "inchikey14")
_UNDECODED = re.compile("[\ud800-\udfff]")
MAX_LINE = 1 << 26  # characters
_MISSING = "NA"  # as R writes it
_BLOCK = re.compile("[A-Z]{14}")  # of an InChIKey, the first
TableRow: TypeAlias = "tuple[tuple[str, ...], tuple[str, ...], int]"
"""Names of the columns, values as text, '' where missing, and the number of the line."""


def is_hits_header(line: str) -> bool:
    """Whether the first line of a file is the header of a hits table, in whatever way its cells are written."""
    try:
        return set(REQUIRED) <= set(next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter_of(line)), ()))
    except csv.Error:
        return False


@contextlib.contextmanager
def opened_table(source: Source) -> Iterator[tuple[Iterator[str], bool]]:
    """(lines, whether they are JSON) of a table; a line that is not UTF-8 is a `DataError` that names it."""
    name = display_name(source)
    with open_input(source) as raw:
        is_json = raw.peek(1)[:1] == b"{"
        # undecodable bytes become surrogates, which tell where they stand
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            yield _utf8_lines(text, name), is_json
        finally:
            text.detach()


def _utf8_lines(text: TextIO, name: str) -> Iterator[str]:
    lines = iter(lambda: text.readline(MAX_LINE), "")
    for number, line in enumerate(lines, start=1):
        if len(line) == MAX_LINE:
            raise DataError(f"line longer than {MAX_LINE:,} characters", where=name, line=number)
        if not line.isascii() and _UNDECODED.search(line):
            raise DataError("is not UTF-8 text", where=name, line=number, advice="save it as UTF-8")
        yield line


def tsv_rows(lines: Iterator[str], name: str) -> Iterator[TableRow]:
    """Yield each row of a table with a header; row names as R writes them, without a name of their own, are left out.

    Raises:
        FormatError: It is no hits table.
        DataError: A row is broken; the line is named.
    """
    reader = _csv_reader(lines)
    columns, first = _header(reader, name)
    query_at = columns.index("query_id")
    try:
        for n_read, row in enumerate(reader):
            if not n_read and not first and _has_row_name(columns, row):
                first = 1
            if len(row) != first + len(columns):
                message = f"{len(row)} fields where the header has {first + len(columns)}"
                raise DataError(message, where=name, line=reader.line_num)
            if first:
                row = row[first:]
            if _MISSING in row:
                row = ["" if cell == _MISSING and i != query_at else cell for i, cell in enumerate(row)]
            yield columns, tuple(row), reader.line_num
    except csv.Error as error:
        raise DataError(f"broken row ({error})", where=name, line=reader.line_num) from error


def tsv_columns(lines: Iterator[str], name: str) -> tuple[str, ...]:
    """The names of the columns of such a table; raises as `tsv_rows` does."""
    return _header(_csv_reader(lines), name)[0]


def _has_row_name(columns: Sequence[str], row: Sequence[str]) -> bool:
    """Whether a row begins with a cell that no column names: then its key stands one cell further right."""
    if len(row) != len(columns) + 1:
        return False
    key = row[columns.index("inchikey14") + 1]
    return _BLOCK.fullmatch(key) is not None or (key in ("", _MISSING) and row[-1] != "")


def _csv_reader(lines: Iterator[str]) -> _csv.Reader:
    """The rows of a table that we or R wrote, or that a spreadsheet saved as CSV: the header tells."""
    first = next(lines, "")
    return csv.reader(itertools.chain([first] if first else (), lines), delimiter=delimiter_of(first))


def _header(reader: _csv.Reader, name: str) -> tuple[tuple[str, ...], int]:
    """(names of the columns, 1 where a column without a name stands before them, else 0)."""
    try:
        columns = tuple(next(reader, ()))
    except csv.Error as error:
        raise DataError(f"broken row ({error})", where=name, line=reader.line_num) from error
    first = int(columns[:1] == ("",))
    _check_columns(columns[first:], name)
    return columns[first:], first


def json_rows(lines: Iterator[str], name: str) -> Iterator[TableRow]:
    """Yield each row of JSON lines; raises as `tsv_rows` does."""
    columns: tuple[str, ...] | None = None
    for number, line in enumerate(lines, start=1):
        try:
            # digits stay as they were written
            row = json.loads(line, parse_float=str, parse_int=str)
        except (ValueError, RecursionError) as error:
            raise DataError(f"is not JSON ({error})", where=name, line=number) from error
        if not isinstance(row, dict):
            raise DataError("is not a JSON object", where=name, line=number)
        if columns is None:
            columns = tuple(row)
            _check_columns(columns, name)
        if set(row) != set(columns):
            raise DataError("has other keys than the first row", where=name, line=number)
        yield columns, tuple("" if row[column] is None else str(row[column]) for column in columns), number


def _check_columns(columns: tuple[str, ...], name: str) -> None:
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        advice = "sb-query writes such tables"
        raise FormatError(f"is no hits table: no column {', '.join(missing)}", where=name, advice=advice)
