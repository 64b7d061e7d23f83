"""Candidate lists as they are written in a file, structures as they are spelled there.

TSV or CSV with a header. `list_id` or `query_id` says which list a row belongs to: lists of the first kind are named by
the spectra's field CANDIDATES, those of the second by the spectra's ids. `smiles` (or `inchi`) is the candidate. The
rows of a list need not be together, and their order means nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.content import beginning, foreign
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.columns import find_columns, normalised
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.sniff import delimiter_of, table_format
from specbridge_tools.molecules.tables import table_rows
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
    """

    name: str
    key: str
    lists: dict[str, NDArray[np.int64]]
    spelled: list[str]
    lines: list[int]


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
        rows = _table_rows(numbered_lines(head, stream, name))
        header = [cell.strip().lstrip("\ufeff") for cell in next(rows, (0, []))[1] or []]
        key, key_at, structure_at = _columns(header, name, head)
        names = None if wanted is None else wanted(key)
        return _read(rows, name, key, key_at, structure_at, len(header), names)


def is_candidate_table(source: Source) -> bool:
    """Whether a file is a table whose header names a key: `list_id` or `query_id`."""
    with open_input(source) as stream:
        head = stream.read(_HEAD)
        if foreign(head):
            return False
        header = next(_table_rows(numbered_lines(head, stream, display_name(source))), (0, []))[1] or []
    return not {normalised(cell) for cell in header}.isdisjoint(KEYS)


def _table_rows(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, list[str] | None]]:
    """Rows of a TSV or CSV, its first line with text the header; None for a row whose quote is never closed."""
    numbered = itertools.dropwhile(lambda line: not line[1].strip(), lines)
    number, header = next(numbered, (0, ""))
    delimiter = delimiter_of(table_format(header), header)
    return table_rows(itertools.chain([(number, header)], numbered), delimiter)


def _columns(header: list[str], name: str, head: bytes) -> tuple[str, int, int]:
    """The key, and the columns of key and structure."""
    names = [normalised(cell) for cell in header]
    key = next((key for key in KEYS if key in names), None)
    if key is None:
        what = f"has no column {' or '.join(KEYS)}; it begins with {beginning(head)}"
        raise FormatError(what, where=name, advice=_ADVICE)
    columns = find_columns(header, where=name)
    (structure_at, *_) = (at for at in (columns.smiles, columns.inchi) if at is not None)
    return key, names.index(key), structure_at


def _read(
    rows: Iterator[tuple[int, list[str] | None]],
    name: str,
    key: str,
    key_at: int,
    structure_at: int,
    width: int,
    wanted: Collection[str] | None,
) -> CandidateTable:
    members: dict[str, list[int]] = {}
    numbers: dict[str, int] = {}
    spelled: list[str] = []
    lines: list[int] = []
    for line, cells in rows:
        if cells is None:
            raise DataError("a quote is never closed", where=name, line=line)
        if len(cells) != width:
            raise DataError(f"{len(cells)} fields where the header has {width}", where=name, line=line)
        list_name = cells[key_at].strip()
        if wanted is not None and list_name not in wanted:
            continue
        text = cells[structure_at].strip()
        number = numbers.setdefault(text, len(spelled))
        if number == len(spelled):
            spelled.append(text)
            lines.append(line)
        members.setdefault(list_name, []).append(number)
    lists = {list_name: np.unique(np.array(structures, np.int64)) for list_name, structures in members.items()}
    return CandidateTable(name, key, lists, spelled, lines)
