"""The known weights as a table: for people on a terminal, TSV in a pipe, or JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TextIO

from specbridge_tools.report.plain_table import Row, write_rows
from specbridge_tools.weights.catalogue import LocalWeights

_COLUMNS = ("name", "role", "dimension", "licence", "status", "description", "source", "file", "sha256", "path")
_SHOWN = ("name", "role", "dimension", "licence", "status", "description", "source", "file")
_STYLES = {"present": "green", "damaged": "red"}


def write_weights(weights: Iterable[LocalWeights], stream: TextIO, *, as_json: bool = False) -> None:
    """Write known weights to an open text file; `sha256` is that of the file, or else as published."""
    rows = [_row(local) for local in weights]
    unbroken = ("name", "dimension", "status")
    write_rows(rows, stream, shown=_SHOWN, unbroken=unbroken, styles=_STYLES, as_json=as_json)


def _row(local: LocalWeights) -> Row:
    values = dataclasses.asdict(local.weights)
    values |= {"status": local.status, "path": local.path, "sha256": local.sha256 or local.weights.sha256}
    return {name: values[name] for name in _COLUMNS}
