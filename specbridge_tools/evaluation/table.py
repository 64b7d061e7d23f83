"""The metrics as a table for programs: TSV, or JSON with one object a row."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Iterable
from typing import TextIO

from specbridge_tools.evaluation.evaluate import Metric

COLUMNS = tuple(field.name for field in dataclasses.fields(Metric))
FORMATS = ("tsv", "json")


def write_metrics(metrics: Iterable[Metric], stream: TextIO, *, output_format: str = "tsv") -> None:
    """Write metrics to an open text file, as `tsv` or `json`; what is not known is empty in TSV and null in JSON."""
    if output_format == "json":
        rows = [{name: _plain(value) for name, value in dataclasses.asdict(metric).items()} for metric in metrics]
        json.dump(rows, stream, indent=1)
        stream.write("\n")
        return
    table = csv.writer(stream, delimiter="\t", lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([_printed(value) for value in dataclasses.astuple(metric)] for metric in metrics)


def _plain(value: str | float) -> str | float | None:
    return None if isinstance(value, float) and math.isnan(value) else value


def _printed(value: str | float) -> str | float:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"
