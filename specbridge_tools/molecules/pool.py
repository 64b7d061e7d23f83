"""Standardising many structures on all cores, in order."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator

from specbridge_tools.molecules.worker import Form, forms_of
from specbridge_tools.worker_pool import WorkerPool

CHUNK = 256
_BEFORE_POOL = 1024  # starting workers costs more than this many structures do
_AHEAD = 2  # chunks that wait for each worker


def standard_forms(
    structures: Iterable[tuple[str, str]], *, threads: int, fingerprint: tuple[int, int] | None = None
) -> Iterator[Form]:
    """Standardise structures, lazily and in order.

    Args:
        structures: (text, kind) of each.
        threads: Processes to use; 1 works in this process, as do few structures.
        fingerprint: (radius, bits), or None.

    Yields:
        As `worker.forms_of`, for each structure.

    Raises:
        SpecbridgeError: Where a worker process dies.
    """
    structures = iter(structures)
    first = list(itertools.islice(structures, _BEFORE_POOL if threads > 1 else 0))
    if len(first) < _BEFORE_POOL:
        for structure in itertools.chain(first, structures):
            yield from forms_of([structure], fingerprint)
        return
    chunks = _chunks(itertools.chain(first, structures))
    with WorkerPool(threads, functools.partial(forms_of, fingerprint=fingerprint)) as pool:
        for _, forms in pool.map_in_order(((None, chunk) for chunk in chunks), ahead=_AHEAD):
            yield from forms


def _chunks(structures: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    return iter(lambda: list(itertools.islice(structures, CHUNK)), [])
