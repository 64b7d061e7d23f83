"""`.smi` files (SMILES, blank or tab, name) -> `RawMolecule`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from specbridge_tools.molecules.columns import INCHI_COLUMNS, SMILES_COLUMNS, normalised
from specbridge_tools.molecules.raw import RawMolecule, structure_kind
from specbridge_tools.shards import RecordRange

_SMILES = re.compile(r"(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFI]|[bcnops]|[-=#$:/\\.()~*]|\d|%\d\d|%\(\d+\))+")


def looks_like_structure(token: str) -> bool:
    """Whether a word is made of the letters of SMILES, or is an InChI."""
    # a number alone is none: it has no atom
    has_atom = any(letter.isalpha() or letter == "*" for letter in token)
    return structure_kind(token) == "inchi" or (has_atom and _SMILES.fullmatch(token) is not None)


def is_header(line: str) -> bool:
    """Whether a line begins with the name of a column of structures."""
    return normalised(line.split()[0]) in SMILES_COLUMNS + INCHI_COLUMNS


def read_smi(lines: Iterable[tuple[int, str]], record_range: RecordRange | None = None) -> Iterator[RawMolecule]:
    """Yield one `RawMolecule` a line; `#` begins a comment line, and a header line is skipped.

    The first word is the structure. With a tab in the rest of the line its first cell is the id and the next the name;
    without one the rest is both.

    Args:
        lines: Numbered.
        record_range: Which records are wanted.
    """
    record_range = record_range or RecordRange()
    record = 0
    first = True
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        header, first = first and is_header(text), False
        if header:
            continue
        record += 1
        if not record_range.take():
            continue
        structure, identifier, label = _parts(text)
        yield RawMolecule(structure, structure_kind(structure), identifier or f"record={record}", label, record, number)
        if record_range.is_passed:
            return


def _parts(text: str) -> tuple[str, str, str]:
    """(structure, id, name)."""
    words = text.split(None, 1)
    structure = words[0]
    rest = words[1] if len(words) > 1 else ""
    if rest.startswith("|") and "|" in rest[1:]:
        # a CXSMILES extension says nothing about a flat structure
        rest = rest[rest.index("|", 1) + 1 :].lstrip()
    identifier, _, label = rest.partition("\t")
    identifier = " ".join(identifier.split())
    return structure, identifier, " ".join(label.split()) or identifier
