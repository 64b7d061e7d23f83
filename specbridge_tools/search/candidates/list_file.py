"""Candidate lists as they are written in a file, structures as they are spelled there.

TSV or CSV with a header. `list_id` or `query_id` says which list a row belongs to: lists of the first kind are named by
the spectra's field CANDIDATES, those of the second by the spectra's ids. `smiles` (or `inchi`) is the candidate; its id
and name are found as in a table of molecules. The rows of a list need not be together; their order means nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.content import beginning, foreign
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.columns import Columns, column_key, find_columns
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.raw import UNBALANCED_QUOTE, looks_like_structure
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
        spelled: the structures as given.
        lines: the line on which each structure first appears.
        ids: the id of each structure on that line, '' where there is none.
        names: its name there, '' where there is none.
    """

    name: str
    key: str
    lists: dict[str, NDArray[np.int64]]
    spelled: list[str]
    lines: list[int]
    ids: list[str]
    names: list[str]


def read_candidate_table(source: Source, *, wanted: WantedLists | None = None) -> CandidateTable:
    """Read the candidate lists of a file, gzip or not; those that are `wanted`, or all.

    Raises:
        FormatError: The file is not such a table.
        DataError: A row is broken; the line is named.
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
        table = CandidateTable(name, key, {}, [], [], [], [])
        members = _members(table, rows, key_at, columns, len(header), None if wanted is None else wanted(key))
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
) -> dict[str, list[int]]:
    """Add the structures of the wanted lists to `table`; {name of a list: numbers of its structures}."""
    members: dict[str, list[int]] = {}
    numbers: dict[str, int] = {}
    for line, cells in rows:
        if cells is None:
            raise DataError(UNBALANCED_QUOTE, where=table.name, line=line)
        if len(cells) != width:
            raise DataError(f"{len(cells)} fields where the header has {width}", where=table.name, line=line)
        list_name = cells[key_at].strip()
        if wanted is not None and list_name not in wanted:
            continue
        text = _structure(cells, columns)
        number = numbers.setdefault(text, len(table.spelled))
        if number == len(table.spelled):
            table.spelled.append(text)
            table.lines.append(line)
            table.ids.append(next(values_of(cells, columns.id), ""))
            table.names.append(next(values_of(cells, columns.name), ""))
        members.setdefault(list_name, []).append(number)
    return members


def _structure(cells: list[str], columns: Columns) -> str:
    """The first cell that can be a structure, else the first with a value, else ''."""
    values = list(values_of(cells, columns.structures))
    return next(filter(looks_like_structure, values), next(iter(values), ""))
