"""What there is of the library as a table: for people on a terminal, TSV in a pipe, or JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TextIO

from specbridge_tools.library.listing import LibraryFile
from specbridge_tools.report.plain_table import write_rows

_STYLES = {"present": "green", "damaged": "red", "old": "yellow"}


def write_library_files(files: Iterable[LibraryFile], stream: TextIO, *, as_json: bool = False) -> None:
    """Write files of the library, at least one, to an open text file; `size` in bytes, in MB for people."""
    rows = [dataclasses.asdict(file) for file in files]
    if stream.isatty() and not as_json:
        rows = [row | {"size": row["size"] and f"{row['size'] / 1e6:.0f} MB"} for row in rows]
    shown = ("what", "status", "molecules", "licence", "encoder", "size", "path")
    write_rows(rows, stream, shown=shown, unbroken=shown[:4], styles=_STYLES, as_json=as_json)
