"""Child processes that share out work: answers in order, a bounded read-ahead, and no child without its parent.

`concurrent.futures` is not used, for what its processes do: they import from the current folder first, whatever lies
there; they run the caller's `__main__` again; and they outlive a parent that is killed (SIGKILL).
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

from specbridge_tools.errors import SpecbridgeError, TryAgainError
from specbridge_tools.forks import end_with

Key = TypeVar("Key")
Request = TypeVar("Request")
Answer = TypeVar("Answer")

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# `python -c` looks for modules in the current folder first, so nothing but `sys`, which is built in, comes before
_START = "import sys; sys.path[:] = sys.argv[4:]; from specbridge_tools.worker_pool import serve; serve()"


class WorkerPool(Generic[Request, Answer]):
    """Up to `n_workers` child processes that apply one function to requests; each uses one thread for linear algebra.

    They are started when there is work for them, and ended by `close` or the end of a `with` block, whatever they are
    doing then. They need no `__main__` guard.
    """

    def __init__(self, n_workers: int, function: Callable[[Request], Answer], *, patience: float = 0) -> None:
        """Make a pool.

        Args:
            n_workers: Child processes, at least 1.
            function: What they apply. It, the requests and the answers are pickled; each child is sent it once.
            patience: For so many seconds (s) this process waits for answers, all waits together, before there is more
                than one child: as long as another takes to become useful, so that little work is not slowed by it.
        """
        self._n_workers = n_workers
        self._patience = patience
        self._function = function
        self._workers: list[_Worker] = []
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        # one thread for each worker: it sends a request and waits for the answer
        self._threads = ThreadPoolExecutor(n_workers)
        self._futures: set[Future[Answer]] = set()  # not answered yet

    def __enter__(self) -> WorkerPool[Request, Answer]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, request: Request) -> None:
        """Start one worker, which begins with a request whose answer nobody waits for."""
        self._submit(request)

    def map_in_order(self, requests: Iterable[tuple[Key, Request]], *, ahead: int) -> Iterator[tuple[Key, Answer]]:
        """Apply the function, lazily.

        Args:
            requests: Pairs of a key, which stays in this process, and a request.
            ahead: Requests that are read ahead of the answers, for each worker.

        Yields:
            (key, answer) in the order of the requests.

        Raises:
            SpecbridgeError: Where a worker dies. What the function raises is raised here, too.
            TryAgainError: Where a worker cannot be started.
        """
        waiting: collections.deque[tuple[Key, Future[Answer]]] = collections.deque()

        def first() -> tuple[Key, Answer]:
            key, future = waiting.popleft()
            started = time.monotonic()
            answer = future.result()
            self._patience -= time.monotonic() - started
            return key, answer

        for key, request in requests:
            waiting.append((key, self._submit(request)))
            if len(waiting) > ahead * self._n_workers:
                yield first()
        while waiting:
            yield first()

    def _submit(self, request: Request) -> Future[Answer]:
        most = 1 if self._patience > 0 else self._n_workers
        if len(self._workers) <= len(self._futures) and len(self._workers) < most:
            try:
                worker = _Worker(self._function)
            except OSError as error:
                raise TryAgainError(f"cannot start a worker process ({error.strerror})") from error
            self._workers.append(worker)
            self._idle.put(worker)
        future = self._threads.submit(self._ask, request)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def _ask(self, request: Request) -> Answer:
        worker = self._idle.get()
        try:
            answer: Answer = worker.ask(request)
            return answer
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()


class _Worker:
    """One child process, as its parent sees it."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._unsent: Callable[[Any], Any] | None = function
        self._connection, theirs = multiprocessing.Pipe()
        ends_with_thread = threading.current_thread() is threading.main_thread()
        arguments = [os.getpid(), theirs.fileno(), int(ends_with_thread), *_import_folders()]
        with theirs:
            # a session of its own: Ctrl-C is for this process, which then ends the workers
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **dict.fromkeys(_THREAD_VARIABLES, "1")},
                start_new_session=True,
            )

    def ask(self, request: Any) -> Any:
        try:
            if self._unsent is not None:
                self._connection.send(self._unsent)
                self._unsent = None
            self._connection.send(request)
            answer, error, trace = self._connection.recv()
        except (EOFError, OSError):
            raise SpecbridgeError(
                f"a worker process ended unexpectedly (status {self._process.wait()})",
                advice="it may have run out of memory: use fewer --threads",
            ) from None
        if error is not None:
            raise error from _WorkerTraceback(trace)
        return answer

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._connection.close()
        self._process.wait()


class _WorkerTraceback(Exception):
    """Where in a worker an exception was raised."""


def _import_folders() -> list[str]:
    """`sys.path` without the current folder, which may hold anything, unless that is where this package lies."""
    package, here = os.path.realpath(Path(__file__).parents[1]), ""
    with contextlib.suppress(FileNotFoundError):
        here = os.path.realpath(os.getcwd())
    folders = {str(folder): os.path.realpath(folder) for folder in sys.path if os.path.isabs(folder)}
    allowed = [folder for folder, real in folders.items() if real == package or real != here]
    return allowed if package in folders.values() else [package, *allowed]


def serve() -> None:
    """Be a worker: answer requests until the parent, which `_START` and `sys.argv` come from, is gone or has enough."""
    parent, descriptor, ends_with_thread = map(int, sys.argv[1:4])
    end_with(parent, ends_with_thread=bool(ends_with_thread))
    # what libraries print must not get into the output of the command
    os.dup2(2, 1)
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, ConnectionError):
        function = connection.recv()
        while True:
            connection.send(_answer(function, connection.recv()))


def _answer(function: Callable[[Any], Any], request: Any) -> tuple[Any, Exception | None, str]:
    try:
        return function(request), None, ""
    except Exception as error:
        return None, error, traceback.format_exc()
