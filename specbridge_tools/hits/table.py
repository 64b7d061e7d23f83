"""The hits table: one row a candidate, the rows of one query together; TSV with a header, or one JSON object a row.

A query without a candidate has one row, whose `reason` says why and whose other fields are empty. `rank` and
`n_candidates` are integers; candidates with equal scores share a rank (1, 1, 3). `score` has as many digits as it takes
to tell unequal scores apart and to read equal ones as equal. Missing values are empty in TSV and null in JSON.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
import math
from collections.abc import Generator, Iterable, Iterator
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.hits.hits import COLUMNS, INTEGERS, OF_THE_QUERY, REALS, REPAIRED, USI, Column, Hits, Value
from specbridge_tools.hits.prior import prior_of
from specbridge_tools.hits.rows import json_rows, opened_table, tsv_columns, tsv_rows
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import Part, is_part
from specbridge_tools.records import Tally
from specbridge_tools.streams import Source, display_name

FORMATS = ("tsv", "jsonl")
_QUERY = ("query_id", "record")
_MOST = 2**53  # whole numbers up to here are themselves as float64


@dataclasses.dataclass(frozen=True)
class QueryRows:
    """The rows of one query as they stand in a table.

    Attributes:
        columns: Names of the columns.
        rows: Values as text, '' where missing.
        line: Number of the first row's line, from 1.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    line: int = 0


class HitWriter:
    """Writes the rows of queries to an open text file, all with the same columns.

    With `part` a last column, named by its text, holds its shard in every row; such a column of the hits themselves,
    which says what they were read from, is left out. In TSV a value with a tab, a line feed or a double quote is quoted
    as in CSV, and a carriage return becomes a blank.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        output_format: str = "tsv",
        columns: Iterable[str] = COLUMNS,
        part: Part | None = None,
    ) -> None:
        self._stream = stream
        self._columns = tuple(name for name in columns if not is_part(name))
        self._added = () if part is None else (str(part.shard),)
        self._header = (*self._columns, *(() if part is None else (str(part),)))
        self._write_rows = self._write_tsv if output_format == "tsv" else self._write_json
        if output_format == "tsv":
            self._write_tsv([self._header])

    def write(self, hits: Hits) -> None:
        """Write the rows of one query."""
        self.write_rows(hits.rows(self._columns))

    def write_rows(self, rows: list[tuple[str, ...]]) -> None:
        """Write rows of text, one value for each of the writer's columns."""
        self._write_rows([(*row, *self._added) for row in rows] if self._added else rows)

    def _write_tsv(self, rows: list[tuple[str, ...]]) -> None:
        text = "\n".join(map("\t".join, rows)) + "\n"
        plain = text.count("\t") == len(rows) * (len(self._header) - 1) and text.count("\n") == len(rows)
        if plain and '"' not in text and "\r" not in text:
            self._stream.write(text)
            return
        table = csv.writer(self._stream, delimiter="\t", lineterminator="\n")
        table.writerows([value.replace("\r", " ") for value in row] for row in rows)

    def _write_json(self, rows: list[tuple[str, ...]]) -> None:
        for row in rows:
            typed = {name: _json_value(name, text) for name, text in zip(self._header, row, strict=True)}
            self._stream.write(json.dumps(typed, ensure_ascii=False, allow_nan=False) + "\n")


def write_hits(
    queries: Iterable[Hits], writer: HitWriter, *, tally: Tally, display: SilentProgress | None = None
) -> int:
    """Write the `Hits` of each query, counting them; returns how many have no candidate."""
    display = display or SilentProgress()
    n_empty = 0
    for hits in queries:
        writer.write(hits)
        n_empty += not len(hits)
        tally.n_written += 1
        display.advance()
    return n_empty


def read_hits(source: Source) -> Generator[Hits, None, None]:
    """Yield the `Hits` of each query of a table (TSV or JSON lines, gzip or not), lazily.

    Rows of a query must stand together.

    Raises:
        FormatError: Where it is no hits table.
        DataError: Naming the line, where a row is broken or a number is none.
    """
    name = display_name(source)
    for query in read_query_rows(source):
        yield parse_hits(query, name)


def read_query_rows(source: Source) -> Iterator[QueryRows]:
    """Yield the rows of each query of a table as text, lazily; raises as `read_hits` does, but for numbers."""
    name = display_name(source)
    with opened_table(source) as (lines, is_json):
        yield from _grouped((json_rows if is_json else tsv_rows)(lines, name))


def read_columns(source: Source) -> tuple[tuple[str, ...], str]:
    """(columns, format) of a table, also where it has no rows; raises as `read_query_rows` does."""
    name = display_name(source)
    with opened_table(source) as (lines, is_json):
        if is_json:
            return next(((columns, "jsonl") for columns, _, _ in json_rows(lines, name)), ((), "jsonl"))
        return tsv_columns(lines, name), "tsv"


def count_hits(source: Source) -> int:
    """How many queries a table has."""
    return sum(1 for _ in read_query_rows(source))


def parse_hits(query: QueryRows, name: str = "") -> Hits:
    """Text -> `Hits`; raises `DataError`, naming file and query, for what is not a number.

    What belongs to the query (its number, its candidates' count, the reason) is taken from the first row.
    """
    columns = query.columns
    texts = dict(zip(columns, map(list, zip(*query.rows, strict=True)), strict=True))
    first = {column: values[0] for column, values in texts.items()}
    query_id = first["query_id"]

    def integer(column: str) -> int | None:
        (number,) = _counts(column, [first.get(column, "")], query_id, name, query.line)
        return None if number != number else int(number)

    record, n_candidates = integer("record"), integer("n_candidates")
    n_rows = len(query.rows) if first["inchikey14"] else 0
    candidates: dict[str, Column] = {}
    for column, values in texts.items():
        if column in OF_THE_QUERY:
            continue
        if column in REALS:
            candidates[column] = _numbers(column, values[:n_rows], query_id, name, query.line)
        elif column in INTEGERS:
            numbers = _counts(column, values[:n_rows], query_id, name, query.line)
            candidates[column] = np.nan_to_num(numbers).astype(np.int64)
        else:
            candidates[column] = values[:n_rows]
    return Hits(
        query_id,
        record or 0,
        columns,
        candidates,
        first.get("reason", ""),
        n_candidates,
        repaired=first.get(REPAIRED, ""),
        usi=first.get(USI, ""),
    )


def _numbers(column: str, texts: list[str], query_id: str, name: str, line: int) -> NDArray[np.float64]:
    try:
        numbers = np.array([float(text) if text else np.nan for text in texts], np.float64)
    except ValueError as error:
        message = f"column {column} of query {query_id}: {error}"
        raise DataError(message, where=name or None, line=line or None) from error
    if np.isinf(numbers).any():
        message = f"column {column} of query {query_id} holds a number without end"
        raise DataError(message, where=name or None, line=line or None)
    return numbers


def _json_value(name: str, text: str) -> Value:
    if not text:
        return None
    if name not in INTEGERS | REALS and not prior_of([name]):
        return text
    try:
        value = int(text) if name in INTEGERS else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"column {name}: {text[:40]!r} is no number")
    return value


def _grouped(rows: Iterable[tuple[tuple[str, ...], tuple[str, ...], int]]) -> Iterator[QueryRows]:
    """(columns, row, line) of each row -> `QueryRows`; a query starts where the id or the record number changes."""

    def identity(entry: tuple[tuple[str, ...], tuple[str, ...], int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        columns, row, _ = entry
        return columns, tuple(row[i] for i, name in enumerate(columns) if name in _QUERY)

    for (columns, _), entries in itertools.groupby(rows, key=identity):
        together = list(entries)
        yield QueryRows(columns, [row for _, row, _ in together], together[0][2])


def _counts(column: str, texts: list[str], query_id: str, name: str, line: int) -> NDArray[np.float64]:
    """`_numbers` that are whole, or missing."""
    numbers = _numbers(column, texts, query_id, name, line)
    for text, number in zip(texts, numbers.tolist(), strict=True):
        if abs(number) >= _MOST or number % 1 > 0:
            message = f"column {column} of query {query_id}: {text[:40]} is no whole number"
            raise DataError(message, where=name or None, line=line or None)
    return numbers
