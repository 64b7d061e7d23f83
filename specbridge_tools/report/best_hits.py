"""The best hits of the first queries, as a short table on the terminal of whoever started the search."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from specbridge_tools.hits.hits import Hits
from specbridge_tools.streams import STDIO
from specbridge_tools.terminal import cell

MOST_ROWS = 20
_LEAST_WIDTH, _MOST_WIDTH = 12, 48
_HEADINGS = ("query", "best hit", "formula", "adduct", "score", "p")


class BestHits:
    """Takes down the best hit of each query that passes.

    Args:
        stream: The terminal; None where there is none, and then nothing is kept or shown.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._rows: list[tuple[str, ...]] = []
        self._n = 0

    def noted(self, queries: Iterable[Hits]) -> Iterator[Hits]:
        """Yield the hits of each query on."""
        for hits in queries:
            self._n += 1
            if self._stream is not None and len(self._rows) < MOST_ROWS:
                self._rows.append(_row(hits))
            yield hits

    def show(self) -> None:
        """Print the table: a row a query, without a candidate the reason."""
        if self._stream is None or not self._rows:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=self._stream, highlight=False, emoji=False, markup=False)
        rows = [[Text(cell(text)) for text in row] for row in self._rows]
        # the two columns of any length share what the others leave
        others = [max(len(name), *(row[i].cell_len for row in rows)) for i, name in enumerate(_HEADINGS) if i > 1]
        room = max(2 * _LEAST_WIDTH, console.width - sum(width + 3 for width in others) - 5)
        query = min(max(len(_HEADINGS[0]), *(row[0].cell_len for row in rows)), room // 2)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in _HEADINGS:
            table.add_column(name, justify="right" if name in ("score", "p") else "left", no_wrap=True)
        for row in rows:
            row[0].truncate(query, overflow="ellipsis")
            row[1].truncate(min(_MOST_WIDTH, room - query), overflow="ellipsis")
            table.add_row(*row)
        console.print(table)
        if self._n > len(self._rows):
            console.print(f"... and {self._n - len(self._rows)} queries more\n")


def best_hits(output: str, *, quiet: bool) -> BestHits:
    """The `BestHits` for an output: shown where a person looks on, neither `quiet` nor behind a pipe."""
    piped = output == STDIO and not sys.stdout.isatty()
    return BestHits(None if quiet or piped or not sys.stderr.isatty() else sys.stderr)


def _row(hits: Hits) -> tuple[str, ...]:
    if not len(hits):
        return hits.query_id, f"({hits.reason})", "", "", "", ""
    name = hits.value("name") or hits.value("smiles")
    score, probability = hits.numbers("score")[0], hits.value("probability")
    shown = f"{float(probability):.2f}" if probability else ""
    return hits.query_id, name, hits.value("formula"), hits.value("adduct"), f"{score:.3f}", shown
