"""SIGTERM and SIGUSR1, with which schedulers announce the end: the process cleans up and ends at once."""

import contextlib
import signal

ENDING = (signal.SIGTERM, signal.SIGUSR1)
_held = 0
_waiting = None


def end_on_signals():
    """Let the first of these signals raise `SystemExit` in the main thread; others that follow are ignored."""
    for signum in ENDING:
        signal.signal(signum, _ended)


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
    raise SystemExit(128 + signum)
