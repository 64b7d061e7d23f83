"""Progress on a terminal, silence in a pipe."""

import contextlib
import sys


class SilentProgress:
    """The methods of a progress display that shows nothing."""

    def advance(self, amount=1):
        """Say that `amount` more units are done."""

    def note(self, **fields):
        """Show named values beside the bar, e.g. `loss=0.31`."""


class TerminalProgress(SilentProgress):
    """A rich progress bar: done, total where known, rate, time left, notes."""

    def __init__(self, bar, task):
        self._bar = bar
        self._task = task

    def advance(self, amount=1):
        self._bar.advance(self._task, amount)

    def note(self, **fields):
        text = " ".join(f"{name} {value}" for name, value in fields.items())
        self._bar.update(self._task, note=text)


@contextlib.contextmanager
def progress(description, *, total=None, quiet=False):
    """Yield a progress display on stderr when it is a terminal, else a silent object with the same methods."""
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
