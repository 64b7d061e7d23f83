"""Counts that a table of molecules has of each: patents, papers, sightings in an organism; carried along as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.molecules.columns import column_key
from specbridge_tools.molecules.missing import is_missing

PREFIX = "count:"
"""How the columns of our files that hold counts begin."""
NO_COUNT = "count not a number from 0"
NONE = "0"
_NAME = re.compile(r"[^\s/:;.][^\t\r\n/:;]{0,99}")


def count_column(name: str) -> str:
    """The name of the column of our files that holds the counts `name`.

    Raises:
        UsageError: It can be no such name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"no name of a column of counts: {name!r}", advice="rename it, without / : ; and tabs")
    return PREFIX + name


def names_of_counts(columns: Iterable[str]) -> list[str]:
    """The names of those columns that hold counts, without their prefix, in order."""
    return [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX)]


def positions_of_counts(header: Sequence[str], names: Sequence[str], where: str) -> list[int]:
    """Where the columns of counts stand in a table: by their exact names, else without case, blanks and signs.

    Raises:
        DataError: One is missing; the message lists the columns.
    """
    positions = []
    for name in names:
        same = [i for i, cell in enumerate(header) if cell == name]
        like = [i for i, cell in enumerate(header) if column_key(cell) == column_key(name)]
        if not (same or like):
            message = f"has no column {name!r}; its columns: {', '.join(header) or 'none'}"
            raise DataError(message, where=where, advice="name one of them")
        positions.append((same or like)[0])
    return positions


def parse_count(text: str) -> str | None:
    """A count as it is carried: `12`, `0.5`; a missing one is 0, and None stands for what is no number from 0."""
    if is_missing(text.strip()):
        return NONE
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    if not 0 <= value < math.inf:
        return None
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)


def most(texts: Iterable[str]) -> str:
    """The highest of the counts of records of one molecule."""
    return max(texts, key=float)
