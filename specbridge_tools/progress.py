"""Progress on a terminal, silence in a pipe."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class SilentProgress:
    """A progress display that shows nothing; other displays have the same methods."""

    def advance(self, amount: float = 1) -> None:
        """Add `amount` to the units that are done."""

    def note(self, **fields: object) -> None:
        """Show named values beside the bar, e.g. `loss=0.31`."""


class TerminalProgress(SilentProgress):
    """A rich progress bar: done, total where known, rate, time left, notes."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def advance(self, amount: float = 1) -> None:
        self._bar.advance(self._task, amount)

    def note(self, **fields: object) -> None:
        text = " ".join(f"{name} {value}" for name, value in fields.items())
        self._bar.update(self._task, note=text)


@contextlib.contextmanager
def progress(description: str, *, total: float | None = None, quiet: bool = False) -> Iterator[SilentProgress]:
    """Yield a progress display on stderr if it is a terminal, else a silent object with the same methods."""
    if quiet or not sys.stderr.isatty():
        yield SilentProgress()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield TerminalProgress(bar, bar.add_task(description, total=total, note=""))
