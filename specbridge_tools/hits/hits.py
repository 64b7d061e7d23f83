"""The hits table: one row a candidate, the rows of one query together; TSV with a header, or one JSON object a row.

A query without a candidate has one row, whose `reason` says why and whose other fields are empty. `rank` and
`n_candidates` are integers; candidates with equal scores share a rank (1, 1, 3). `score` has as many digits as it takes
to tell unequal scores apart and to read equal ones as equal. Missing values are empty in TSV and null in JSON.
"""

import csv
import dataclasses
import io
import itertools
import json

import numpy as np

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.provenance import is_part
from specbridge_tools.streams import display_name, open_input

COLUMNS = (
    "query_id",
    "rank",
    "score",
    "probability",
    "inchikey14",
    "smiles",
    "formula",
    "exact_mass",
    "adduct",
    "mass_error_ppm",
    "id",
    "name",
    "n_candidates",
    "reason",
    "all_ids",
    "record",
)
FORMATS = ("tsv", "jsonl")
REQUIRED = ("query_id", "score", "inchikey14")
_INTEGERS = frozenset({"rank", "n_candidates", "record"})
_REALS = frozenset(
    {"score", "probability", "exact_mass", "mass_error_ppm", "cosine", "fragment_score", "explained_intensity"}
)


@dataclasses.dataclass(frozen=True)
class Hits:
    """The rows of one query, best first, every value as it is printed; '' where there is none."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    @property
    def query_id(self):
        return self.value("query_id")

    @property
    def record(self):
        """1-based number of the query in its file, 0 where the table does not say; raises `DataError` for no number."""
        try:
            return int(self.value("record") or 0)
        except ValueError as error:
            raise DataError(f"column record of query {self.query_id}: {error}") from error

    @property
    def reason(self):
        """Why there is no candidate; '' where there are some."""
        return self.value("reason")

    @property
    def n_rows(self):
        """Number of candidates in the table: 0 for a query whose one row gives the reason."""
        return len(self.rows) if self.value("inchikey14") else 0

    def value(self, column):
        """The first row's value, '' where the table lacks the column."""
        return self.rows[0][self.columns.index(column)] if column in self.columns else ""

    def column(self, name):
        """One value a row; the name must be among `columns`."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def numbers(self, name):
        """A column as float64, NaN where empty; raises `DataError` for what is not a number."""
        try:
            return np.array([float(value) if value else np.nan for value in self.column(name)])
        except ValueError as error:
            raise DataError(f"column {name} of query {self.query_id}: {error}") from error


class HitWriter:
    """Writes `Hits` to an open text file; `columns` are those of every `Hits` that will be written.

    With `part` (`provenance.Part`) a last column, named by its text, holds its shard in every row; such a column of the
    hits themselves, which says what they were read from, is left out. In TSV a value with a tab, a line feed or a
    double quote is quoted as in CSV, and a carriage return becomes a blank.
    """

    def __init__(self, stream, *, output_format="tsv", columns=COLUMNS, part=None):
        self._stream = stream
        self._kept = [i for i, name in enumerate(columns) if not is_part(name)]
        self._all_kept = len(self._kept) == len(columns)
        self._added = () if part is None else (str(part.shard),)
        self._columns = (*(columns[i] for i in self._kept), *(() if part is None else (str(part),)))
        self._write_rows = self._write_tsv if output_format == "tsv" else self._write_json
        if output_format == "tsv":
            self._write_tsv([self._columns])

    def write(self, hits):
        """Write the rows of one query."""
        rows = hits.rows if self._all_kept else [tuple(row[i] for i in self._kept) for row in hits.rows]
        self._write_rows([(*row, *self._added) for row in rows] if self._added else rows)

    def _write_tsv(self, rows):
        text = "\n".join(map("\t".join, rows)) + "\n"
        plain = text.count("\t") == len(rows) * (len(self._columns) - 1) and text.count("\n") == len(rows)
        if plain and '"' not in text and "\r" not in text:
            self._stream.write(text)
            return
        table = csv.writer(self._stream, delimiter="\t", lineterminator="\n")
        table.writerows([value.replace("\r", " ") for value in row] for row in rows)

    def _write_json(self, rows):
        for row in rows:
            typed = {name: _json_value(name, value) for name, value in zip(self._columns, row, strict=True)}
            self._stream.write(json.dumps(typed, ensure_ascii=False, allow_nan=False) + "\n")


def _json_value(name, value):
    if not value:
        return None
    if name in _INTEGERS:
        return int(value)
    return float(value) if name in _REALS else value


def read_hits(source):
    """Yield the `Hits` of each query of a table (path, `-` or binary file; TSV or JSON lines, gzip or not), lazily.

    Rows of a query must stand together. Raises `FormatError` where it is no hits table, `DataError` naming the line
    where a row is broken.
    """
    name = display_name(source)
    with open_input(source) as raw:
        parse = _json_rows if raw.peek(1)[:1] == b"{" else _tsv_rows
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        try:
            yield from _grouped(parse(text, name))
        except UnicodeDecodeError as error:
            raise DataError("is not UTF-8 text", where=name) from error
        finally:
            text.detach()


def count_hits(source):
    """How many queries a table has."""
    return sum(1 for _ in read_hits(source))


def _grouped(rows):
    """(columns, row) pairs -> `Hits`; a new query starts where the id or the record number changes."""

    def identity(pair):
        columns, row = pair
        return columns, tuple(row[i] for i, name in enumerate(columns) if name in ("query_id", "record"))

    for (columns, _), pairs in itertools.groupby(rows, key=identity):
        yield Hits(columns, [row for _, row in pairs])


def _tsv_rows(text, name):
    reader = csv.reader(text, delimiter="\t")
    try:
        columns = tuple(next(reader, ()))
        _check_columns(columns, name)
        for row in reader:
            if len(row) != len(columns):
                found = f"{len(row)} fields where the header has {len(columns)}"
                raise DataError(found, where=name, line=reader.line_num)
            yield columns, tuple(row)
    except csv.Error as error:
        raise DataError(f"broken row ({error})", where=name, line=reader.line_num) from error


def _json_rows(text, name):
    columns = None
    for number, line in enumerate(text, start=1):
        try:
            # digits stay as they were written
            row = json.loads(line, parse_float=str, parse_int=str)
        except ValueError as error:
            raise DataError(f"is not JSON ({error})", where=name, line=number) from error
        if not isinstance(row, dict):
            raise DataError("is not a JSON object", where=name, line=number)
        if columns is None:
            columns = tuple(row)
            _check_columns(columns, name)
        if set(row) != set(columns):
            raise DataError("has other keys than the first row", where=name, line=number)
        yield columns, tuple("" if row[column] is None else str(row[column]) for column in columns)


def _check_columns(columns, name):
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        advice = "sb-query writes such tables"
        raise FormatError(f"is no hits table: no column {', '.join(missing)}", where=name, advice=advice)
