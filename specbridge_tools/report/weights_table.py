"""The known weights as a table: for people on a terminal, TSV in a pipe, or JSON."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO, TypeAlias

from specbridge_tools.terminal import cell
from specbridge_tools.weights.catalogue import LocalWeights

Row: TypeAlias = Mapping[str, object]

_COLUMNS = ("name", "role", "dimension", "licence", "status", "description", "source", "file", "sha256", "path")
_SHOWN = ("name", "role", "dimension", "licence", "status", "description", "source", "file")
_STYLES = {"present": "green", "damaged": "red"}


def write_weights(weights: Iterable[LocalWeights], stream: TextIO, *, as_json: bool = False) -> None:
    """Write known weights to an open text file; `sha256` is that of the file, or else as published."""
    rows = [_row(local) for local in weights]
    if as_json:
        json.dump(rows, stream, indent=1)
        stream.write("\n")
    elif stream.isatty():
        _show(rows, stream)
    else:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(_COLUMNS)
        table.writerows(["" if row[name] is None else row[name] for name in _COLUMNS] for row in rows)


def _row(local: LocalWeights) -> Row:
    values = dataclasses.asdict(local.weights)
    values |= {"status": local.status, "path": local.path, "sha256": local.sha256 or local.weights.sha256}
    return {name: values[name] for name in _COLUMNS}


def _show(rows: Sequence[Row], stream: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in _SHOWN:
        table.add_column(name, overflow="fold", no_wrap=name in ("name", "dimension", "status"))
    for row in rows:
        table.add_row(*(Text(cell(str(row[name] or "")), _STYLES.get(str(row[name]), "")) for name in _SHOWN))
    Console(file=stream, highlight=False).print(table)
