"""The learning curve of a training, from the table that the training writes."""

import csv
import io
import math

from specbridge_tools.errors import DataError
from specbridge_tools.report.figure import new_figure, save_png
from specbridge_tools.streams import display_name, open_input

_X = "epoch"


def read_history(source):
    """TSV with a header that holds `epoch` -> list of {column: number}, NaN where empty."""
    name = display_name(source)
    with open_input(source) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        try:
            return _rows(csv.DictReader(text, delimiter="\t"), name)
        except UnicodeDecodeError as error:
            raise DataError("is not UTF-8 text", where=name) from error
        finally:
            text.detach()


def _rows(reader, name):
    if _X not in (reader.fieldnames or ()):
        raise DataError(f"is no learning curve: no column {_X}", where=name)
    rows = []
    for row in reader:
        try:
            rows.append({column: float(value) if value else math.nan for column, value in row.items()})
        except (TypeError, ValueError) as error:
            raise DataError(f"is not a row of numbers ({error})", where=name, line=reader.line_num) from error
    return rows


def draw_learning_curve(rows, destination, *, force=False):
    """Draw losses in one panel and what is measured on the validation spectra in another, against the epoch, as PNG.

    rows: one mapping an epoch, as the training makes them or `read_history` reads them; columns that end in `loss`,
    and those that begin with `recall` or `mrr`, are drawn.
    """
    names = list(rows[0]) if rows else []
    losses = [name for name in names if name.endswith("loss")]
    measures = [name for name in names if name.startswith(("recall", "mrr"))]
    figure = new_figure(width=10, height=4)
    for axes, chosen, label in zip(figure.subplots(1, 2), (losses, measures), ("loss", "validation"), strict=True):
        for name in chosen:
            axes.plot([row[_X] for row in rows], [row[name] for row in rows], marker="o", markersize=3, label=name)
        axes.set_xlabel(_X)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if chosen:
            axes.legend(frameon=False)
    save_png(figure, destination, force=force)
