"""SIGTERM and SIGUSR1, with which schedulers announce the end: the process cleans up and ends at once."""

import contextlib
import signal
import sys

ENDING = (signal.SIGTERM, signal.SIGUSR1)
_AGAIN_AFTER = 0.01  # s
_held = 0
_waiting = None


def end_on_signals():
    """Let the first of these signals raise `SystemExit` in the main thread; others that follow are ignored.

    Where Python drops an exception (in a destructor, or as a weak reference ends), it is raised anew a moment later.
    """
    for signum in ENDING:
        signal.signal(signum, _ended)
    sys.unraisablehook = _dropped


@contextlib.contextmanager
def held():
    """What runs inside is not interrupted by these signals; they take effect at its end."""
    global _held
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _waiting is not None and not _held:
            _end(_waiting)


def _ended(signum, frame):
    global _waiting
    for each in ENDING:
        signal.signal(each, signal.SIG_IGN)
    if _held:
        _waiting = signum
    else:
        _end(signum)


def _end(signum):
    raise _End(128 + signum)


class _End(SystemExit):
    """The end that a signal asked for."""


def _dropped(unraisable):
    if not isinstance(unraisable.exc_value, _End):
        sys.__unraisablehook__(unraisable)
        return
    signum = unraisable.exc_value.code - 128
    signal.signal(signal.SIGALRM, lambda *_: _ended(signum, None))
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER)
