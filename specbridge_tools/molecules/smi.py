"""`.smi` files (SMILES, blank or tab, name) -> `RawMolecule`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from specbridge_tools.molecules.columns import is_structure_name
from specbridge_tools.molecules.missing import is_missing
from specbridge_tools.molecules.raw import (
    MAX_TEXT,
    TOO_LONG,
    RawMolecule,
    looks_like_structure,
    one_line,
    structure_kind,
)
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange

HEAD_LINES = 100
_SHOWN = 100


def is_header(line: str) -> bool:
    """Whether a line begins with the name of a column of structures."""
    return is_structure_name(line.split()[0])


def is_smi(lines: Sequence[str]) -> bool:
    """Whether lines with text, the first of a file, are those of a .smi file, with the structures first or second.

    The first structure tells, or half of them, so that a bad line or two do not hide the others.
    """
    lines = [line for line in lines if _is_data(line)][:HEAD_LINES]
    if not lines:
        return False
    good = [looks_like_structure(line.split()[0]) for line in lines]
    return is_header(lines[0]) or good[0] or 2 * sum(good) >= len(good) or _ids_come_first(lines)


def read_smi(
    lines: Iterable[tuple[int, str]], source: str, record_range: RecordRange | None = None
) -> Iterator[RawMolecule | Rejection]:
    """Yield one `RawMolecule` a line; `#` begins a comment line, and a header line is skipped.

    The first word is the structure. With a tab in the rest of the line its first cell is the id and the next the name;
    without one the rest is both. Where no first word can be a structure but the second ones are, the first are the ids.

    Args:
        lines: Numbered.
        source: The file to name.
        record_range: Which records are wanted.
    """
    record_range = record_range or RecordRange()
    data = ((number, line.strip()) for number, line in lines if _is_data(line))
    # no further than to the first structure
    first = list(_up_to_a_structure(data))
    ids_come_first = _ids_come_first([text for _, text in first])
    if first and is_header(first[0][1]):
        del first[0]
    for record, (number, text) in enumerate(itertools.chain(first, data), start=1):
        if not record_range.take():
            continue
        structure, identifier, name = _parts(text, ids_come_first=ids_come_first)
        if max(len(identifier), len(name)) > MAX_TEXT:
            detail = f"an id or a name of more than {MAX_TEXT:,} characters"
            yield Rejection(TOO_LONG, identifier[:_SHOWN], record, number, source, detail)
        else:
            identifier = identifier or f"record={record}"
            yield RawMolecule(structure, structure_kind(structure), identifier, name, record, number)
        if record_range.is_passed:
            return


def _is_data(line: str) -> bool:
    text = line.lstrip()
    return bool(text) and not text.startswith("#")


def _up_to_a_structure(data: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for number, text in itertools.islice(data, HEAD_LINES):
        yield number, text
        if looks_like_structure(text.split()[0]):
            return


def _ids_come_first(lines: Sequence[str]) -> bool:
    words = [line.split(None, 2) for line in lines]
    if any(looks_like_structure(each[0]) for each in words):
        return False
    n_second = sum(len(each) > 1 and looks_like_structure(each[1]) for each in words)
    return n_second > 0 and 10 * n_second >= 9 * len(words)


def _parts(text: str, *, ids_come_first: bool) -> tuple[str, str, str]:
    """(structure, id, name), each '' where it is missing."""
    before = ""
    if ids_come_first:
        before, text = (*text.split(None, 1), "")[:2]
    structure, rest = (*text.split(None, 1), "", "")[:2]
    if rest.startswith("|") and "|" in rest[1:]:
        # a CXSMILES extension says nothing about a flat structure
        rest = rest[rest.index("|", 1) + 1 :].lstrip()
    if before:
        identifier, label = before, rest
    else:
        identifier, _, label = rest.partition("\t")
    structure, identifier, label = (
        "" if is_missing(each) else each for each in (structure, *map(one_line, (identifier, label)))
    )
    return structure, identifier, label or identifier
