"""Metrics of sb-evaluate as a table in Markdown: metrics_table.py TITLE NAME=FILE[,RANKING[,SUBSET]] ...

A row for each NAME: recall@1, 5 and 20 in per cent with their 95 % intervals, and the mean reciprocal rank, over
spectra, of one ranking in the metrics FILE (score where none is named) and one subset of the queries (all); without
figures where there is no such query.
"""

import csv
import sys

RECALLS = ("recall@1", "recall@5", "recall@20")


def metrics(file, ranking="score", subset="all"):
    """{metric: row}, over spectra."""
    with open(file, newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        found = {row["metric"]: row for row in rows
                 if (row["subset"], row["ranking"], row["over"]) == (subset, ranking, "spectra")}  # fmt: skip
    return found


def cells(found):
    """Of one row."""
    for name in RECALLS:
        value, low, high = (100 * float(found[name][column]) for column in ("value", "low", "high"))
        yield f"{value:.1f} ({low:.1f}-{high:.1f})"
    yield f"{float(found['mrr']['value']):.3f}"


def main(title, *rows):
    print(f"\n| {title} | {' | '.join(RECALLS)} | MRR | queries |\n|{' --- |' * 6}")
    for row in rows:
        name, _, source = row.partition("=")
        found = metrics(*source.split(","))
        shown = [*cells(found), found["mrr"]["n_spectra"]] if found else ["", "", "", "", "0"]
        print(f"| {name} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
