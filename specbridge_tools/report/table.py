"""Who was identified, as a table that people read."""

import math

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from specbridge_tools.evaluation.baselines import score_counts

_PIPE_WIDTH = 140
_HEADINGS = ("query", "adduct", "best hit", "formula", "score", "p", "rank of truth", "")
_TO_THE_RIGHT = ("score", "p", "rank of truth")
_NAME = _HEADINGS.index("best hit")
# left out, in this order, where the terminal is too narrow for names of this width
_DISPENSABLE = ("adduct", "formula", "score", "p")
_NAME_WIDTH = 24


def write_identified(lists, metrics, stream, *, limit):
    """Print the best hit of the first `limit` queries and whether it is right, then the accuracy over all of them.

    lists: `evaluation.candidates.CandidateList`s; metrics: those of all of them; stream: an open text file. Colours on
    a terminal alone.
    """
    width = None if stream.isatty() else _PIPE_WIDTH
    console = Console(file=stream, width=width, highlight=False, emoji=False, markup=False)
    if limit and lists:
        console.print(_table([_cells(candidates) for candidates in lists[:limit]], console.width))
    if len(lists) > limit > 0:
        console.print(f"... and {len(lists) - limit} queries more\n")
    for line in accuracy_lines(metrics):
        console.print(line, soft_wrap=True)


def _table(rows, width):
    """Names and SMILES are cut to the width that the other columns leave."""
    widths = [max(cell_len(heading), *(row[i].cell_len for row in rows)) for i, heading in enumerate(_HEADINGS)]
    shown = list(range(len(_HEADINGS)))
    for heading in (None, *_DISPENSABLE):
        shown = [i for i in shown if _HEADINGS[i] != heading]
        room = width - sum(widths[i] + 3 for i in shown if i != _NAME) - 4
        if room >= _NAME_WIDTH:
            break
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i in shown:
        table.add_column(_HEADINGS[i], justify="right" if _HEADINGS[i] in _TO_THE_RIGHT else "left", no_wrap=True)
    for row in rows:
        row[_NAME].truncate(max(room, 8), overflow="ellipsis")
        table.add_row(*(row[i] for i in shown))
    return table


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
        rank_of_truth(above, tied, candidates.size),
    )
    return [*map(Text, row), Text(*verdict(candidates, above, tied))]


def _number(text, digits):
    return f"{float(text):.{digits}f}" if text else ""


def rank_of_truth(above, tied, size):
    """The rank, or the ranks where candidates tie, among how many; above, tied: `evaluation.baselines.score_counts`."""
    if not tied:
        return f"- of {size}"
    return f"{above + 1} of {size}" if tied == 1 else f"{above + 1}-{above + tied} of {size}"


def verdict(candidates, above, tied):
    """In a word whether the best hit is right, and the colour of the word."""
    if not candidates.size:
        return "no candidate", "yellow"
    if not tied:
        return "truth not listed", "yellow"
    if above:
        return "wrong", "red"
    return ("right", "green") if tied == 1 else ("tied", "yellow")


def accuracy_lines(metrics):
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
