"""Candidate lists as they are written in a file, structures as they are spelled there.

TSV or CSV with a header. `list_id` or `query_id` says which list a row belongs to: lists of the first kind are named by
the spectra's field CANDIDATES, those of the second by the spectra's ids. `smiles` (or `inchi`) is the candidate, of
several such columns the first that can be read; its id and name are found as in a table of molecules. The rows of a
list need not be together; their order means nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.content import beginning, foreign
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.columns import Columns, column_key, find_columns
from specbridge_tools.molecules.counts import NO_COUNT, most, parse_count, positions_of_counts
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.pool import standardise_all
from specbridge_tools.molecules.raw import UNBALANCED_QUOTE, looks_like_structure, structure_kind
from specbridge_tools.molecules.rows import Row, open_table
from specbridge_tools.molecules.tables import values_of
from specbridge_tools.streams import Source, display_name, open_input

KEYS = ("list_id", "query_id")
LIST_FIELD = "candidates"
_HEAD = 1 << 12
_ADVICE = "expected a TSV or CSV with a header: list_id or query_id, and smiles"

WantedLists = Callable[[str], "Collection[str] | None"]
"""Key (`list_id` or `query_id`) -> the names of the lists to keep, or None for all."""


@dataclasses.dataclass(frozen=True)
class CandidateTable:
    """Lists of structures, each spelling held once.

    Attributes:
        name: the file, as messages show it.
        key: `list_id` or `query_id`.
        lists: name of a list -> (n,) numbers of its structures, each once, ascending.
        spelled: the structures as given: of several in a row the first that can be one.
        lines: the line on which each structure first appears.
        ids: the id of each structure on that line, '' where there is none.
        names: its name there, '' where there is none.
        others: number of a structure -> the others of its row, in their order, one of which counts where it has no
            standard form itself.
        count_names: the columns of counts that were asked for.
        counts: of each structure, the highest of its rows; [] where none were asked for.
    """

    name: str
    key: str
    lists: dict[str, NDArray[np.int64]]
    spelled: list[str]
    lines: list[int]
    ids: list[str]
    names: list[str]
    others: dict[int, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    count_names: tuple[str, ...] = ()
    counts: list[tuple[str, ...]] = dataclasses.field(default_factory=list)


def read_candidate_table(
    source: Source, *, wanted: WantedLists | None = None, counts: Sequence[str] = ()
) -> CandidateTable:
    """Read the candidate lists of a file, gzip or not; those that are `wanted`, or all; with columns of `counts`.

    Raises:
        FormatError: The file is not such a table.
        DataError: A row is broken, or a count is no number from 0; the line is named.
    """
    name = display_name(source)
    with open_input(source) as stream:
        head = stream.read(_HEAD)
        if what := foreign(head):
            raise FormatError(f"is {what}, not a candidate table", where=name, advice=_ADVICE)
        header, rows = open_table(numbered_lines(head, stream, name))
        key, key_at = _key(header)
        if not key:
            what = f"has no column {' or '.join(KEYS)}; it begins with {beginning(head)}"
            raise FormatError(what, where=name, advice=_ADVICE)
        columns = find_columns(header, where=name)
        table = CandidateTable(name, key, {}, [], [], [], [], count_names=tuple(counts))
        count_at = positions_of_counts(header, counts, name)
        names = None if wanted is None else wanted(key)
        members = _members(table, rows, key_at, columns, len(header), names, count_at)
        table.lists.update({each: np.unique(np.array(numbers, np.int64)) for each, numbers in members.items()})
        return table


def is_candidate_table(source: Source) -> bool:
    """Whether a file is a table whose header names a key: `list_id` or `query_id`."""
    with open_input(source) as stream:
        head = stream.read(_HEAD)
        if foreign(head):
            return False
        lines = (each for each in numbered_lines(head, stream, display_name(source)) if each[1].strip())
        header, _ = open_table(itertools.islice(lines, 1))
    return bool(_key(header)[0])


def _key(header: list[str]) -> tuple[str, int]:
    """(key, its column), or ('', 0) where the header has none."""
    names = [column_key(cell) for cell in header]
    return next(((key, names.index(column_key(key))) for key in KEYS if column_key(key) in names), ("", 0))


def _members(
    table: CandidateTable,
    rows: Iterator[Row],
    key_at: int,
    columns: Columns,
    width: int,
    wanted: Collection[str] | None,
    count_at: Sequence[int] = (),
) -> dict[str, list[int]]:
    """Add the structures of the wanted lists to `table`; {name of a list: numbers of its structures}."""
    members: dict[str, list[int]] = {}
    numbers = _Numbers(table)
    for line, cells in rows:
        if cells is None:
            raise DataError(UNBALANCED_QUOTE, where=table.name, line=line)
        if len(cells) != width:
            raise DataError(f"{len(cells)} fields where the header has {width}", where=table.name, line=line)
        list_name = cells[key_at].strip()
        if wanted is not None and list_name not in wanted:
            continue
        text, *others = _structures(cells, columns)
        number = numbers.find(text, tuple(others))
        if number == len(table.spelled):
            if others:
                table.others[number] = tuple(others)
            table.spelled.append(text)
            table.lines.append(line)
            table.ids.append(next(values_of(cells, columns.id), ""))
            table.names.append(next(values_of(cells, columns.name), ""))
        if count_at:
            _add_counts(table, number, [cells[position] for position in count_at], line)
        members.setdefault(list_name, []).append(number)
    return members


def _add_counts(table: CandidateTable, number: int, texts: list[str], line: int) -> None:
    found = [parse_count(text) for text in texts]
    for name, text, count in zip(table.count_names, texts, found, strict=True):
        if count is None:
            raise DataError(f"{name} is {text[:40]!r}: {NO_COUNT}", where=table.name, line=line)
    counts = tuple(count for count in found if count is not None)
    if number == len(table.counts):
        table.counts.append(counts)
    else:
        table.counts[number] = tuple(map(most, zip(table.counts[number], counts, strict=True)))


class _Numbers:
    """Numbers of structures: equal spellings have one, unless they cannot be read and other cells tell them apart."""

    def __init__(self, table: CandidateTable) -> None:
        self._table = table
        self._of_row: dict[str | tuple[str, ...], int] = {}
        self._with_others: dict[str, int] = {}

    def find(self, text: str, others: tuple[str, ...]) -> int:
        """The number of a structure that stands beside others; that of the next one where it is new."""
        key = (text, *others) if others else text
        number = self._of_row.get(key)
        if number is not None:
            return number
        known = self._of_row.get(text, self._with_others.get(text))
        number = known if known is not None and _has_form(text) else len(self._table.spelled)
        self._of_row[key] = number
        if others:
            self._with_others.setdefault(text, number)
        return number


def _structures(cells: list[str], columns: Columns) -> list[str]:
    """The cells with a value in columns of structures: those first that look like one; `[""]` without any."""
    values = list(dict.fromkeys(values_of(cells, columns.structures)))
    return sorted(values, key=lambda value: not looks_like_structure(value)) or [""]


@functools.lru_cache(maxsize=100_000)
def _has_form(text: str) -> bool:
    (form,) = standardise_all([(text, structure_kind(text))], None)
    return not isinstance(form, str)
