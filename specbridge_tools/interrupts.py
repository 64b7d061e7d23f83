"""SIGTERM and SIGUSR1, with which schedulers announce the end: the process cleans up and ends at once."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

ENDING = (signal.SIGTERM, signal.SIGUSR1)
_RAISE_AGAIN_AFTER = 0.01  # s
_n_held = 0
_waiting: int | None = None


def end_on_signals() -> None:
    """Let the first of these signals raise `SystemExit` in the main thread; the ones that follow are ignored.

    Where Python drops an exception (in a destructor, or in the callback of a weak reference), it is raised again a
    moment later.
    """
    for signum in ENDING:
        signal.signal(signum, _on_signal)
    sys.unraisablehook = _on_dropped_exception


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
