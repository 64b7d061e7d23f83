"""Forks of this process that train together: they have what is in memory in common, and end with their parent."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import torch

from specbridge_tools.errors import SpecbridgeError, TryAgainError
from specbridge_tools.forks import end_with, fork
from specbridge_tools.processes import Processes, local_processes
from specbridge_tools.temporary import scratch_path

Report = TypeVar("Report")
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def run_forked(
    n_processes: int, work: Callable[[Processes, Callable[[Report], None]], None], on_report: Callable[[Report], None]
) -> None:
    """Run `work` in several forks of this process at once, each with one thread.

    Args:
        n_processes: How many.
        work: Called with the processes, and with what sends a report to this process.
        on_report: Called here with each report.

    Raises:
        SpecbridgeError: Where a fork dies. What `work` raises in one is raised here, too.
        TryAgainError: Where there is no room for another process.
    """
    forks: dict[Connection, int] = {}
    with scratch_path() as meeting:
        try:
            for rank in range(n_processes):
                connection, process = _forked(rank, n_processes, os.fspath(meeting), work)
                forks[connection] = process
            _attend(forks, on_report)
        finally:
            for connection, process in forks.items():
                connection.close()
                with contextlib.suppress(ProcessLookupError, ChildProcessError):
                    os.kill(process, signal.SIGKILL)
                    os.waitpid(process, 0)


def _forked(
    rank: int, n_processes: int, meeting: str, work: Callable[[Processes, Callable[[Any], None]], None]
) -> tuple[Connection, int]:
    """A fork at work: the connection to it, and its number."""
    parent, ends_with_thread = os.getpid(), threading.current_thread() is threading.main_thread()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with theirs:
        try:
            process = fork()
        except OSError as error:
            ours.close()
            raise TryAgainError(f"cannot start another process ({error.strerror})") from error
        if process:
            return ours, process
        status = 1
        try:
            for number in _IGNORED:  # they are for the parent, which ends its forks
                signal.signal(number, signal.SIG_IGN)
            end_with(parent, ends_with_thread=ends_with_thread)
            status = _work(theirs, rank, n_processes, meeting, work)
        finally:
            os._exit(status)


def _work(
    connection: Connection,
    rank: int,
    n_processes: int,
    meeting: str,
    work: Callable[[Processes, Callable[[Any], None]], None],
) -> int:
    """Work as one of the forks, and tell the parent how it went; returns the exit status."""
    try:
        torch.set_num_threads(1)
        with local_processes(rank, n_processes, meeting) as processes:
            work(processes, lambda report: connection.send((report, None, "")))
    except Exception as error:
        connection.send((None, error, traceback.format_exc()))
        return 1
    return 0


class _ForkTraceback(Exception):
    """Where in a fork an exception was raised."""


def _attend(forks: dict[Connection, int], on_report: Callable[[Any], None]) -> None:
    """Take reports until all forks have ended; they are taken off `forks` as they end.

    The first failure counts: a fork that fails cuts off the others, which then fail for that.
    """
    while forks:
        failures: list[Exception] = []
        for connection in wait(list(forks)):
            assert isinstance(connection, Connection)
            for report, error, trace in _received(connection):
                if error is None:
                    on_report(report)
                else:
                    error.__cause__ = _ForkTraceback(trace)
                    failures.append(error)
            if connection.closed:
                status = os.waitstatus_to_exitcode(os.waitpid(forks.pop(connection), 0)[1])
                if status < 0 or (status and not failures):
                    failures.append(
                        SpecbridgeError(
                            f"a process of the training ended unexpectedly (status {status})",
                            advice="it may have run out of memory: use fewer --threads",
                        )
                    )
        if failures:
            raise next((error for error in failures if isinstance(error, SpecbridgeError)), failures[0])


def _received(connection: Connection) -> Iterator[tuple[Any, Exception | None, str]]:
    """What has arrived; the connection is closed where its other end is."""
    try:
        while connection.poll():
            yield connection.recv()
    except EOFError:
        connection.close()
