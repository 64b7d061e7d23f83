"""Rows of named values as a table: for people on a terminal, TSV in a pipe, or JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from typing import TextIO, TypeAlias

from specbridge_tools.terminal import cell

Row: TypeAlias = Mapping[str, object]


def write_rows(
    rows: Sequence[Row],
    stream: TextIO,
    *,
    shown: Sequence[str],
    unbroken: Sequence[str] = (),
    styles: Mapping[str, str] | None = None,
    as_json: bool = False,
) -> None:
    """Write rows with the same keys to an open text file.

    Args:
        rows: One at least.
        stream: An open text file.
        shown: The columns that people see, by name.
        unbroken: Those of them whose cells are never wrapped.
        styles: Text of a cell -> how rich shows it.
        as_json: Whether JSON is written.
    """
    if as_json:
        json.dump(rows, stream, indent=1)
        stream.write("\n")
    elif stream.isatty():
        _show(rows, stream, shown, unbroken, styles or {})
    else:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(rows[0])
        table.writerows(["" if value is None else value for value in row.values()] for row in rows)


def _show(
    rows: Sequence[Row], stream: TextIO, shown: Sequence[str], unbroken: Sequence[str], styles: Mapping[str, str]
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in shown:
        table.add_column(name, overflow="fold", no_wrap=name in unbroken)
    for row in rows:
        table.add_row(*(Text(cell(str(row[name] or "")), styles.get(str(row[name]), "")) for name in shown))
    Console(file=stream, highlight=False).print(table)
