"""A record of a molecule file before its structure is looked at, and why there may be none."""

from __future__ import annotations

from typing import NamedTuple

TOO_MANY_FIELDS = "more fields than the header"
UNBALANCED_QUOTE = "unbalanced quote"
BROKEN_RECORD = "record is not complete"
TOO_LONG = "record is too long"


class RawMolecule(NamedTuple):
    """One record; `text` is a SMILES, an InChI or a molfile block, and `kind` says which: smiles, inchi or mol."""

    text: str
    kind: str
    id: str
    name: str
    record: int
    line: int


def structure_kind(text: str) -> str:
    """`inchi` or `smiles`, by the prefix that every InChI has."""
    return "inchi" if text.lstrip()[:6].lower() == "inchi=" else "smiles"


def one_line(text: str) -> str:
    """Text with every run of white space as one blank: fit for a cell of a table."""
    return " ".join(text.split())
