"""SIGTERM and SIGUSR1, with which schedulers announce the end: the process cleans up and ends at once.

Where a library computes on in C, or a cleanup waits for something, a thread ends the process some seconds later.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

ENDING = (signal.SIGTERM, signal.SIGUSR1)
_RAISE_AGAIN_AFTER = 0.01  # s
_LONGEST_CLEANUP = 3.0  # s
_n_held = 0
_waiting: int | None = None
_temporary: set[Path] = set()
_is_watched = False


def end_on_signals() -> None:
    """Let the first of these signals raise `SystemExit` in the main thread; the ones that follow are ignored.

    Where Python drops an exception (in a destructor, or in the callback of a weak reference), it is raised again a
    moment later.
    """
    for signum in ENDING:
        signal.signal(signum, _on_signal)
    sys.unraisablehook = _on_dropped_exception


def end_in_time() -> None:
    """Let the process end some seconds after such a signal, with its status, wherever it is then.

    Python itself runs nothing in the main thread before a call into C returns. Temporary files are removed
    (`removed_at_end`); what is `held` is waited for. A library that computes for long and lets no other thread run
    meanwhile, as the one of HDF5 can, belongs into a process of its own.
    """
    global _is_watched
    if not _is_watched:
        _is_watched = True
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        # what handles signals in C writes their numbers here at once
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=_watch, args=(reader,), daemon=True).start()


def _watch(reader: int) -> None:
    while (signum := os.read(reader, 1)[0]) not in ENDING:
        pass
    time.sleep(_LONGEST_CLEANUP)
    while _n_held:
        time.sleep(_RAISE_AGAIN_AFTER)
    for path in list(_temporary):
        _remove(path)
    os._exit(128 + signum)


@contextlib.contextmanager
def removed_at_end(path: Path) -> Iterator[None]:
    """Remove a temporary file, and those beside it whose names begin with its name and a dot, however this ends."""
    _temporary.add(path)
    try:
        yield
    finally:
        _remove(path)
        _temporary.discard(path)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        for found in (path, *path.parent.glob(f"{glob.escape(path.name)}.*")):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found, ignore_errors=True)
            else:
                found.unlink(missing_ok=True)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold these signals back: what runs inside is not interrupted, and they take effect at its end."""
    global _n_held
    _n_held += 1
    try:
        yield
    finally:
        _n_held -= 1
        if _waiting is not None and not _n_held:
            _end(_waiting)


def _on_signal(signum: int, frame: FrameType | None) -> None:
    global _waiting
    for ending in ENDING:
        signal.signal(ending, signal.SIG_IGN)
    if _n_held:
        _waiting = signum
    else:
        _end(signum)


def _end(signum: int) -> NoReturn:
    raise _End(signum)


class _End(SystemExit):
    """The end that a signal asked for."""

    def __init__(self, signum: int) -> None:
        super().__init__(128 + signum)
        self.signum = signum


def _on_dropped_exception(unraisable: UnraisableHookArgs) -> None:
    end = unraisable.exc_value
    if not isinstance(end, _End):
        sys.__unraisablehook__(unraisable)
        return
    signum = end.signum
    signal.signal(signal.SIGALRM, lambda *_: _on_signal(signum, None))
    signal.setitimer(signal.ITIMER_REAL, _RAISE_AGAIN_AFTER)
