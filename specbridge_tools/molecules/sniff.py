"""The format of a file of molecules, by its content."""

from __future__ import annotations

from specbridge_tools.content import beginning, foreign
from specbridge_tools.errors import FormatError
from specbridge_tools.molecules.columns import has_structures
from specbridge_tools.molecules.lines import encoding_of
from specbridge_tools.molecules.smi import is_header, looks_like_structure

FORMATS = ("auto", "tsv", "csv", "smi", "sdf")
DELIMITERS = ("\t", ",", ";")
_EXPECTED = "expected TSV or CSV with a header, .smi or SDF, plain or gzip"


def sniff(head: bytes, name: str, *, smiles_column: str | None = None) -> str | None:
    """Format (`tsv`, `csv`, `smi`, `sdf`) of a file that begins with `head`, or None for one without content.

    Raises:
        FormatError: It is any other.
    """
    if other := foreign(head):
        raise FormatError(f"is {other}", where=name, advice=_EXPECTED)
    text = head.decode(encoding_of(head), errors="replace")
    lines = text.splitlines()
    words = [line for line in lines if line.strip()]
    if not words:
        return None
    if _is_sdf(lines):
        return "sdf"
    header = words[0]
    if _is_table_header(header, smiles_column):
        return table_format(header)
    data = next((line for line in words if not line.lstrip().startswith("#")), None)
    if data is not None and (is_header(data) or looks_like_structure(data.split()[0])):
        return "smi"
    if any(delimiter in header for delimiter in DELIMITERS):
        return table_format(header)
    raise FormatError(f"is of no known format; it begins with {beginning(head)}", where=name, advice=_EXPECTED)


def _is_table_header(header: str, smiles_column: str | None) -> bool:
    tables = [header.split(delimiter) for delimiter in DELIMITERS if delimiter in header]
    if not tables and len(header.split()) == 1:
        tables = [[header]]
    return any(has_structures(cells, smiles_column) for cells in tables)


def _is_sdf(lines: list[str]) -> bool:
    if len(lines) > 3 and lines[3].rstrip().endswith(("V2000", "V3000")):
        return True
    return any(line.startswith(("$$$$", "M  END")) for line in lines)


def table_format(header: str) -> str:
    """`tsv` where the header line holds a tab or neither comma nor semicolon, else `csv`."""
    return "tsv" if "\t" in header or not ("," in header or ";" in header) else "csv"


def delimiter_of(input_format: str, header: str) -> str:
    """What separates the cells of a `tsv` or `csv` table with this header line; a CSV may use semicolons."""
    if input_format == "tsv":
        return "\t"
    return ";" if header.count(";") > header.count(",") else ","
