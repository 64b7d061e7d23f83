"""Forks with limits, in which a library may crash or loop on any file, and children that end with their parent."""

from __future__ import annotations

import ctypes
import faulthandler
import math
import os
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable

_CPU_SECONDS = 3
_MEMORY = 1 << 30  # beyond what the process has when it is forked
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_WATCH_INTERVAL = 0.25  # s


def fork() -> int:
    """As `os.fork`; 0 in the fork, which must end in `os._exit`.

    Raises:
        OSError: Where the machine has no room for another process.
    """
    with warnings.catch_warnings():
        # of Python 3.12 on, where there are threads: a fork uses nothing that they could have locked
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def limit_process(seconds: float = 0) -> None:
    """Limit a fork to what reading a file takes: processor time (see `allow_time`) and memory; and to silence.

    Signals that announce the end are for the parent, which ends the fork.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_AS, _address_space() + _MEMORY)
    allow_time(seconds)


def allow_time(seconds: float) -> None:
    """Let the kernel end this process (SIGXCPU) once it has computed for so long and `_CPU_SECONDS` more."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _set_limit(resource.RLIMIT_CPU, math.ceil(used + _CPU_SECONDS + seconds))


def _set_limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _address_space() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # not Linux, whose limit others do not hold either
        return 1 << 40


def end_of(signum: int) -> str:
    """Why a fork that this signal has ended did, for a message."""
    return "comes to no end" if signum == signal.SIGXCPU else f"fails on it, signal {signum}"


def failure_of(function: Callable[[], object], *, seconds: float = 0) -> str:
    """Run a function in a fork, before it is run here: how it fails, '' where it returns or raises in its limits.

    Args:
        function: What it returns or raises is lost.
        seconds: Of processor time, besides the usual ones.
    """
    process = fork()
    if not process:
        status = 0
        try:
            limit_process(seconds)
            function()
        except MemoryError:
            status = 1
        except BaseException:
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return end_of(-status) if status < 0 else "takes too much memory" if status else ""


def end_with(parent: int, *, ends_with_thread: bool) -> None:
    """Let this process end within a second of its parent, whatever ends that.

    On Linux the kernel sees to it, also while a library holds Python's lock; but it goes by the thread that started
    this process, so only where that was the main one. A thread that watches does it elsewhere.
    """
    if sys.platform == "linux" and ends_with_thread:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_INTERVAL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
