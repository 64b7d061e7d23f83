"""The format of a file of molecules, by its content."""

from __future__ import annotations

import re

from specbridge_tools.content import beginning, foreign, is_json_objects, refuse_blank
from specbridge_tools.errors import FormatError
from specbridge_tools.molecules.columns import structure_positions
from specbridge_tools.molecules.lines import encoding_of
from specbridge_tools.molecules.raw import looks_like_structure
from specbridge_tools.molecules.rows import DELIMITERS, delimiter_of, table_format
from specbridge_tools.molecules.smi import is_smi

FORMATS = ("auto", "tsv", "csv", "smi", "sdf")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
HEAD = 1 << 16
EXPECTED = "expected TSV or CSV with a header, .smi or SDF, plain or gzip"


def sniff(head: bytes, name: str, *, smiles_column: str | None = None) -> str | None:
    """Format (`tsv`, `csv`, `smi`, `sdf`) of a file that begins with `head`, or None for one without content.

    Raises:
        FormatError: It is any other.
    """
    if other := foreign(head) or ("JSON" if is_json_objects(head) else None):
        raise FormatError(f"is {other}", where=name, advice=EXPECTED)
    text = head.decode(encoding_of(head), errors="replace")
    lines = text.splitlines()
    words = [line for line in lines if line.strip()]
    if not words:
        refuse_blank(head, name, HEAD)
        return None
    if _is_sdf(lines):
        return "sdf"
    header = words[0]
    if _is_table_header(header, smiles_column):
        return table_format(header)
    # a named column is that of a table, whose header is no molecule
    if is_smi(words) and (smiles_column is None or looks_like_structure(header.split()[0])):
        return "smi"
    if any(delimiter in header for delimiter in DELIMITERS) and not _is_numbers(header):
        return table_format(header)
    raise FormatError(f"is of no known format; it begins with {beginning(head)}", where=name, advice=EXPECTED)


def shows_structures(head: bytes, smiles_column: str | None = None) -> bool:
    """Whether a file that begins with `head` is an SDF, or a table with a column of structures.

    A library in JSON may stand in one line, whose keys are no columns.
    """
    if is_json_objects(head):
        return False
    lines = head.decode(encoding_of(head), errors="replace").splitlines()
    header = next((line for line in lines if line.strip()), "")
    return _is_sdf(lines) or _is_table_header(header, smiles_column)


def _is_table_header(header: str, smiles_column: str | None) -> bool:
    delimiter = delimiter_of(header)
    if delimiter not in header and len(header.split()) > 1:
        return False
    return bool(structure_positions(header.split(delimiter), smiles_column))


def _is_numbers(line: str) -> bool:
    """Whether a line holds nothing but numbers: a row of peaks, no header."""
    cells = [cell.strip().strip('"') for cell in line.split(delimiter_of(line))]
    return all(_NUMBER.fullmatch(cell) for cell in cells if cell)


def _is_sdf(lines: list[str]) -> bool:
    if len(lines) > 3 and lines[3].rstrip().endswith(("V2000", "V3000")):
        return True
    return any(line.startswith(("$$$$", "M  END")) for line in lines)
