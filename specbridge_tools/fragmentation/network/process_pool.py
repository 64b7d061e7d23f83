"""Scoring in several processes, in order, without running ahead of the reader."""

import collections
import concurrent.futures
import contextlib
import multiprocessing
import os

from specbridge_tools.errors import SpecbridgeError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.scores import score_candidates

_AHEAD = 4  # tasks that wait for each process
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ranker = None


def score_in_order(tasks, ranker, *, threads):
    """Yield (key, list of `Scores`) for each (key, [(`Peaks` of all spectra, smiles), ...]) of `tasks`, in their order.

    With one thread everything happens in this process; else in up to `threads` new ones. At most a few tasks a process
    are read ahead.
    """
    if threads == 1:
        for key, parts in tasks:
            yield key, _score_parts(ranker, parts)
        return
    waiting = collections.deque()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_single_threaded_children())
        context = multiprocessing.get_context("spawn")
        pool = concurrent.futures.ProcessPoolExecutor(threads, context, _start, (ranker.networks, ranker.config))
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        try:
            for key, parts in tasks:
                waiting.append((key, pool.submit(_work, parts)))
                if len(waiting) > _AHEAD * threads:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        except concurrent.futures.process.BrokenProcessPool as error:
            raise SpecbridgeError(
                "a worker process ended abruptly", advice="use fewer --threads, or allow more memory"
            ) from error


def _first(waiting):
    key, future = waiting.popleft()
    return key, future.result()


def _start(networks, config):
    global _ranker
    _ranker = Ranker(networks, config)


def _work(parts):
    return _score_parts(_ranker, parts)


def _score_parts(ranker, parts):
    return [score_candidates(ranker, spectra, smiles) for spectra, smiles in parts]


@contextlib.contextmanager
def _single_threaded_children():
    """Processes started inside use one thread each for linear algebra."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
