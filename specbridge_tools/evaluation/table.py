"""The metrics as a table for programs: TSV, or JSON with one object a row."""

import csv
import dataclasses
import json
import math

from specbridge_tools.evaluation.evaluate import Metric

COLUMNS = tuple(field.name for field in dataclasses.fields(Metric))
FORMATS = ("tsv", "json")


def write_metrics(metrics, stream, *, output_format="tsv"):
    """Write metrics to an open text file; what is not known is empty in TSV and null in JSON."""
    if output_format == "json":
        rows = [{name: _plain(value) for name, value in dataclasses.asdict(metric).items()} for metric in metrics]
        json.dump(rows, stream, indent=1)
        stream.write("\n")
        return
    rows = csv.writer(stream, delimiter="\t", lineterminator="\n")
    rows.writerow(COLUMNS)
    for metric in metrics:
        rows.writerow([_printed(value) for value in dataclasses.astuple(metric)])


def _plain(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def _printed(value):
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else f"{value:.6g}"
