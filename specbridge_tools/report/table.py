"""Who was identified, as a table that people read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from specbridge_tools.evaluation.baselines import score_counts
from specbridge_tools.evaluation.candidates import CandidateList, TopHit
from specbridge_tools.evaluation.evaluate import Metric
from specbridge_tools.hits.expected_rank import TieCounts
from specbridge_tools.terminal import cell

_PIPE_WIDTH = 140
_HEADINGS = ("query", "adduct", "best hit", "formula", "score", "p", "rank of truth", "")
_TO_THE_RIGHT = ("score", "p", "rank of truth")
_NAME = _HEADINGS.index("best hit")
# left out, in this order, where the terminal is too narrow for names of this width
_DISPENSABLE = ("adduct", "formula", "score", "p")
_NAME_WIDTH = 24


def write_identified(lists: Sequence[CandidateList], metrics: Iterable[Metric], stream: TextIO, *, limit: int) -> None:
    """Print the best hit of the first `limit` queries and whether it is right, then the accuracy over all of them.

    Args:
        lists: Of all queries.
        metrics: Of all queries.
        stream: An open text file; colours only on a terminal.
        limit: 0 prints the accuracy alone.
    """
    width = None if stream.isatty() else _PIPE_WIDTH
    console = Console(file=stream, width=width, highlight=False, emoji=False, markup=False)
    if limit and lists:
        console.print(_table([_cells(candidates) for candidates in lists[:limit]], console.width))
    if len(lists) > limit > 0:
        console.print(f"... and {len(lists) - limit} queries more\n")
    for line in accuracy_lines(metrics):
        console.print(line, soft_wrap=True)


def _table(rows: Sequence[list[Text]], width: int) -> Table:
    """Lay out rows of cells; names and SMILES are cut to the width that the other columns leave."""
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


def _cells(candidates: CandidateList) -> list[Text]:
    best = candidates.top_hit or TopHit()
    counts = score_counts(candidates)
    row = (
        candidates.truth.query_id,
        best.adduct or candidates.truth.adduct,
        best.name or best.smiles,
        best.formula,
        fixed(best.score, 3),
        fixed(best.probability, 2),
        rank_of_truth(counts, candidates.size),
    )
    return [*(Text(cell(text)) for text in row), Text(*verdict(counts, candidates.size))]


def fixed(number: float, digits: int) -> str:
    """A number with so many digits behind the point, '' for NaN."""
    return "" if math.isnan(number) else f"{number:.{digits}f}"


def rank_of_truth(counts: TieCounts, size: int) -> str:
    """The rank, or the ranks where candidates tie, in a list of `size` candidates."""
    first, last = counts.above + 1, counts.above + counts.tied
    if not counts.tied:
        return f"- of {size}"
    return f"{first} of {size}" if counts.tied == 1 else f"{first}-{last} of {size}"


def verdict(counts: TieCounts, size: int) -> tuple[str, str]:
    """In a word whether the best hit of a list of `size` candidates is right, and the colour of the word."""
    if not size:
        return "no candidate", "yellow"
    if not counts.tied:
        return "truth not listed", "yellow"
    if counts.above:
        return "wrong", "red"
    return ("right", "green") if counts.tied == 1 else ("tied", "yellow")


def accuracy_lines(metrics: Iterable[Metric]) -> Iterator[str]:
    """Yield one line a recall: that of the hits, its interval, and those of the baselines."""
    overall = [metric for metric in metrics if metric.subset == "all" and metric.over == "spectra"]
    if overall:
        yield f"{overall[0].n_spectra} spectra of {overall[0].n_molecules} molecules"
    for metric in overall:
        if metric.ranking == "score" and metric.metric.startswith("recall@"):
            baselines = [m for m in overall if m.metric == metric.metric and m.ranking != "score"]
            known = (m for m in baselines if not math.isnan(m.value))
            reached = ", ".join(f"{m.ranking.replace('_', '-')} {m.value:.1%}" for m in known)
            interval = f"95 % interval {metric.low:.1%} to {metric.high:.1%}"
            yield f"{metric.metric:<10} {metric.value:.1%}  ({interval}; {reached})"
