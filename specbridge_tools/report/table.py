"""Who was identified, as a table that people read."""

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from specbridge_tools.evaluation.baselines import score_counts

_PIPE_WIDTH = 140
_COLUMNS = (
    # heading, share of the width, alignment
    ("query", 3, "left"),
    ("adduct", 2, "left"),
    ("best hit", 5, "left"),
    ("formula", 2, "left"),
    ("score", None, "right"),
    ("probability", None, "right"),
    ("candidates", None, "right"),
    ("rank of truth", None, "right"),
    ("", None, "left"),
)


def write_identified(lists, metrics, stream, *, limit):
    """Print the best hit of the first `limit` queries and whether it is right, then the accuracy over all of them.

    lists: `evaluation.candidates.CandidateList`s; metrics: those of all of them; stream: an open text file. Colours on
    a terminal alone.
    """
    terminal = stream.isatty()
    console = Console(file=stream, width=None if terminal else _PIPE_WIDTH, highlight=False, emoji=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, ratio, justify in _COLUMNS:
        table.add_column(heading, justify=justify, ratio=ratio, no_wrap=True, overflow="ellipsis" if ratio else "fold")
    for candidates in lists[:limit]:
        table.add_row(*_cells(candidates))
    console.print(table)
    if len(lists) > limit:
        console.print(f"... and {len(lists) - limit} queries more\n")
    for line in _accuracy(metrics):
        console.print(line)


def _cells(candidates):
    best = candidates.best
    above, tied = score_counts(candidates)
    row = (
        candidates.truth.query_id,
        best.get("adduct") or candidates.truth.adduct,
        best.get("name") or best.get("smiles", ""),
        best.get("formula", ""),
        _number(best.get("score"), 3),
        _number(best.get("probability"), 2),
        str(candidates.size),
        _rank(above, tied),
    )
    return [*map(Text, row), _verdict(candidates, above, tied)]


def _number(text, digits):
    return f"{float(text):.{digits}f}" if text else ""


def _rank(above, tied):
    if not tied:
        return "-"
    return str(above + 1) if tied == 1 else f"{above + 1}-{above + tied}"


def _verdict(candidates, above, tied):
    if not candidates.size:
        return Text("no candidate", "yellow")
    if not tied:
        return Text("truth not listed", "yellow")
    if above:
        return Text("wrong", "red")
    return Text("right", "green") if tied == 1 else Text("tied", "yellow")


def _accuracy(metrics):
    """One line a recall: the hits', its interval, and what the baselines reach."""
    mine = [m for m in metrics if m.subset == "all" and m.over == "spectra"]
    if mine:
        yield f"{mine[0].n_spectra} spectra of {mine[0].n_molecules} molecules"
    for metric in mine:
        if metric.ranking == "score" and metric.metric.startswith("recall@"):
            others = [m for m in mine if m.metric == metric.metric and m.ranking != "score" and not math.isnan(m.value)]
            beside = ", ".join(f"{m.ranking.replace('_', '-')} {m.value:.1%}" for m in others)
            interval = f"95 % interval {metric.low:.1%} to {metric.high:.1%}"
            yield f"{metric.metric:<10} {metric.value:.1%}  ({interval}; {beside})"
