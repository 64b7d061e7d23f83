"""Candidate lists as they are written in a file, structures as they are spelled there.

TSV with a header. `list_id` or `query_id` says which list a row belongs to: lists of the first kind are named by the
spectra's field CANDIDATES, those of the second by the spectra's ids. `smiles` (or `inchi`) is the candidate. The rows
of a list need not be together, and their order means nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.content import beginning, foreign
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.columns import find_columns, normalised
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.streams import Source, display_name, open_input

KEYS = ("list_id", "query_id")
LIST_FIELD = "candidates"
_HEAD = 1 << 12
_ADVICE = "expected a TSV with a header: list_id or query_id, and smiles"

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
        rows = ((number, line.split("\t")) for number, line in numbered_lines(head, stream, name) if line.strip())
        header = [cell.strip().lstrip("\ufeff") for cell in next(rows, (0, []))[1]]
        key, key_at, structure_at = _columns(header, name, head)
        names = None if wanted is None else wanted(key)
        return _read(rows, name, key, key_at, structure_at, len(header), names)


def is_candidate_table(source: Source) -> bool:
    """Whether a file is a TSV whose header names a key: `list_id` or `query_id`."""
    with open_input(source) as stream:
        head = stream.read(_HEAD)
        if foreign(head):
            return False
        header = next((line for _, line in numbered_lines(head, stream, display_name(source)) if line.strip()), "")
    return not {normalised(cell) for cell in header.split("\t")}.isdisjoint(KEYS)


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
    rows: Iterator[tuple[int, list[str]]],
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
        if len(cells) != width:
            raise DataError(f"{len(cells)} fields where the header has {width}", where=name, line=line)
        list_name = cells[key_at].strip()
        if wanted is not None and list_name not in wanted:
            continue
        text = cells[structure_at].strip().strip('"')
        number = numbers.setdefault(text, len(spelled))
        if number == len(spelled):
            spelled.append(text)
            lines.append(line)
        members.setdefault(list_name, []).append(number)
    lists = {list_name: np.unique(np.array(structures, np.int64)) for list_name, structures in members.items()}
    return CandidateTable(name, key, lists, spelled, lines)
