"""Candidate lists as they stand in a file, structures as they are spelled there.

TSV with a header. `list_id` or `query_id` says which list a row belongs to: lists of the first kind are named by the
spectra's field CANDIDATES, those of the second by the spectra's ids. `smiles` (or `inchi`) is the candidate. Rows of a
list may stand anywhere, and their order means nothing.
"""

import dataclasses

import numpy as np

from specbridge_tools.content import beginning, foreign
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.columns import find_columns, normalised
from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.streams import display_name, open_input

KEYS = ("list_id", "query_id")
LIST_FIELD = "candidates"
_HEAD = 1 << 12


@dataclasses.dataclass(frozen=True)
class CandidateTable:
    """Lists of structures, each spelling held once.

    name      the file, as messages show it
    key       `list_id` or `query_id`
    lists     name of a list -> (n,) int64 numbers of its structures, each once, ascending
    spelled   the structures as given
    lines     the line on which each stands for the first time
    """

    name: str
    key: str
    lists: dict[str, np.ndarray]
    spelled: list[str]
    lines: list[int]


def read_candidate_table(source, *, wanted=None):
    """Read the candidate lists of `source` (path, `-` or binary file), gzip or not.

    wanted  key (`list_id` or `query_id`) -> the names of the lists to keep, or None for all

    Raises `FormatError` for a file that is no such table and `DataError` naming the line of a row that is none.
    """
    name = display_name(source)
    with open_input(source) as stream:
        head = stream.read(_HEAD)
        if what := foreign(head):
            raise FormatError(f"is {what}, no candidate table", where=name, advice=_advice())
        rows = ((number, line.split("\t")) for number, line in numbered_lines(head, stream, name) if line.strip())
        header = [cell.strip().lstrip("\ufeff") for cell in next(rows, (0, []))[1]]
        key, key_at, structure_at = _columns(header, name, head)
        names = None if wanted is None else wanted(key)
        return _read(rows, name, key, key_at, structure_at, len(header), names)


def is_candidate_table(source):
    """Whether a file (path) is a TSV whose header names a key: `list_id` or `query_id`."""
    with open_input(source) as stream:
        head = stream.read(_HEAD)
        if foreign(head):
            return False
        header = next((line for _, line in numbered_lines(head, stream, display_name(source)) if line.strip()), "")
    return not {normalised(cell) for cell in header.split("\t")}.isdisjoint(KEYS)


def _columns(header, name, head):
    names = [normalised(cell) for cell in header]
    key = next((key for key in KEYS if key in names), None)
    if key is None:
        found = f"has no column {' or '.join(KEYS)}; it begins with {beginning(head)}"
        raise FormatError(found, where=name, advice=_advice())
    columns = find_columns(header, where=name)
    return key, names.index(key), columns.inchi if columns.smiles is None else columns.smiles


def _advice():
    return "expected a TSV with a header: list_id or query_id, and smiles"


def _read(rows, name, key, key_at, structure_at, width, names):
    members, numbers, spelled, lines = {}, {}, [], []
    for line, cells in rows:
        if len(cells) != width:
            raise DataError(f"{len(cells)} fields where the header has {width}", where=name, line=line)
        list_name = cells[key_at].strip()
        if names is not None and list_name not in names:
            continue
        text = cells[structure_at].strip().strip('"')
        number = numbers.setdefault(text, len(spelled))
        if number == len(spelled):
            spelled.append(text)
            lines.append(line)
        members.setdefault(list_name, []).append(number)
    lists = {list_name: np.unique(np.array(found, np.int64)) for list_name, found in members.items()}
    return CandidateTable(name, key, lists, spelled, lines)
