"""A record of a molecule file before its structure is looked at, and why there may be none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol

from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange

TOO_MANY_FIELDS = "more fields than the header"
UNBALANCED_QUOTE = "unbalanced quote"
BROKEN_RECORD = "record is not complete"
TOO_LONG = "record is too long"
MAX_TEXT = 10_000
"""Characters of a SMILES, an InChI, an id or a name."""
_SMILES = re.compile(
    r"(?=.*[A-Za-z*])(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFI]|[bcnops]|<-|->|[-=#$:/\\.()~*]|\d|%\d\d|%\(\d+\))+"
)


class RawMolecule(NamedTuple):
    """One record; `text` is a SMILES, an InChI or a molfile block, and `kind` says which: smiles, inchi or mol.

    `others` are SMILES and InChI of the same record, which count where `text` cannot be used. `counts` are those that
    were asked for (`molecules.counts`).
    """

    text: str
    kind: str
    id: str
    name: str
    record: int
    line: int
    others: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()


class LibraryReader(Protocol):
    """Reads the molecules of files of other things."""

    def __call__(
        self, head: bytes, stream: BinaryIO, name: str, input_format: str, record_range: RecordRange | None
    ) -> Iterator[RawMolecule | Rejection] | None:
        """The records of a file that begins with `head`, None where it is none that this reads."""


def structure_kind(text: str) -> str:
    """`inchi` or `smiles`, by the prefix that every InChI has."""
    return "inchi" if text.lstrip()[:6].lower() == "inchi=" else "smiles"


def looks_like_structure(token: str) -> bool:
    """Whether a word is made of the letters of SMILES and holds an atom, or is an InChI."""
    return structure_kind(token) == "inchi" or _SMILES.fullmatch(token) is not None


def one_line(text: str) -> str:
    """Text with every run of white space as one blank: fit for a cell of a table."""
    return " ".join(text.split())
