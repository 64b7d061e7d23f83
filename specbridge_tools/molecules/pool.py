"""Standardising many structures on all cores, in order.

The workers are plain child processes that speak JSON lines over pipes: they need no `__main__` guard, work where
`fork` does not, end on their own when this process is gone, and a worker that dies is an error, not a hang.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import queue
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from specbridge_tools.errors import SpecbridgeError, TryAgainError
from specbridge_tools.molecules.molecule import StandardForm
from specbridge_tools.molecules.worker import read_answer, standardise_all

CHUNK = 256
_BEFORE_POOL = 1024  # starting workers takes longer than this many structures do
_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from specbridge_tools.molecules import worker
worker.serve()
"""


def standard_forms(
    structures: Iterable[tuple[str, str]], *, threads: int, fingerprint: tuple[int, int] | None = None
) -> Iterator[StandardForm | str]:
    """Yield the standard form of each (text, kind) or the reason why it has none, lazily and in order.

    Args:
        structures: Kinds as in `chemistry.standardise`.
        threads: Processes to use; 1 works in this process, as do few structures.
        fingerprint: (radius, bits) of Morgan counts that come with each form.

    Raises:
        SpecbridgeError: A worker process died.
    """
    structures = iter(structures)
    first = list(itertools.islice(structures, _BEFORE_POOL if threads > 1 else 0))
    if len(first) < _BEFORE_POOL:
        for structure in itertools.chain(first, structures):
            yield from standardise_all([structure], fingerprint)
        return
    waiting: collections.deque[Future[list[StandardForm | str]]] = collections.deque()
    with contextlib.closing(_Pool(threads, fingerprint)) as pool:
        for chunk in _chunks(itertools.chain(first, structures)):
            waiting.append(pool.submit(chunk))
            if len(waiting) > 2 * threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _chunks(items: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    return iter(lambda: list(itertools.islice(items, CHUNK)), [])


class _Pool:
    """One thread for each worker process: it writes a request and waits for the answer."""

    def __init__(self, n_workers: int, fingerprint: tuple[int, int] | None) -> None:
        self._fingerprint = fingerprint
        self._workers: list[subprocess.Popen[bytes]] = []
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(n_workers)
        try:
            for _ in range(n_workers):
                self._start()
        except OSError as error:
            self.close()
            raise TryAgainError(f"cannot start a worker process ({error.strerror})") from error

    def _start(self) -> None:
        # a session of its own: Ctrl-C is for this process, which then ends the workers
        worker = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps([str(folder) for folder in sys.path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._workers.append(worker)
        self._idle.put(worker)

    def submit(self, structures: list[tuple[str, str]]) -> Future[list[StandardForm | str]]:
        return self._threads.submit(self._ask, structures)

    def _ask(self, structures: list[tuple[str, str]]) -> list[StandardForm | str]:
        worker = self._idle.get()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            request = {"fingerprint": self._fingerprint, "structures": structures}
            worker.stdin.write(json.dumps(request).encode() + b"\n")
            worker.stdin.flush()
            line = worker.stdout.readline()
        except OSError:
            line = b""
        finally:
            self._idle.put(worker)
        if not line.endswith(b"\n"):
            raise SpecbridgeError(
                f"a worker process ended unexpectedly (status {worker.wait()})",
                advice="it may have run out of memory: use fewer --threads",
            )
        return read_answer(line)

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            for pipe in (worker.stdout, worker.stdin):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            worker.wait()
