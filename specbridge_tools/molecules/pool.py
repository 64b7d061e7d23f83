"""Standardising many structures on all cores, in order."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.molecule import StandardForm
from specbridge_tools.molecules.raw import structure_kind
from specbridge_tools.worker_pool import WorkerPool

CHUNK = 256
_BEFORE_POOL = 1024  # starting workers takes longer than this many structures do
_AHEAD = 2  # chunks that wait for each worker


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
    chunks = _chunks(itertools.chain(first, structures))
    with WorkerPool(threads, functools.partial(standardise_all, fingerprint=fingerprint)) as pool:
        for _, forms in pool.map_in_order(((None, chunk) for chunk in chunks), ahead=_AHEAD):
            yield from forms


def standardise_all(
    structures: Iterable[tuple[str, str]], fingerprint: tuple[int, int] | None
) -> list[StandardForm | str]:
    """Standard forms of (text, kind), or the reason why one has none; `fingerprint` is (radius, bits)."""
    return [_standardised(text, kind, fingerprint) for text, kind in structures]


def first_of_others(
    failure: str, others: Iterable[str], fingerprint: tuple[int, int] | None = None
) -> tuple[str, StandardForm | str]:
    """(text, form) of the first of other SMILES and InChI of a record that has one, else ('', `failure`)."""
    for text in others:
        (form,) = standardise_all([(text, structure_kind(text))], fingerprint)
        if not isinstance(form, str):
            return text, form
    return "", failure


def _standardised(text: str, kind: str, fingerprint: tuple[int, int] | None) -> StandardForm | str:
    from specbridge_tools.molecules.chemistry import standardise

    try:
        return standardise(text, kind=kind, fingerprint=fingerprint)
    except DataError as error:
        return error.message


def _chunks(structures: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    return iter(lambda: list(itertools.islice(structures, CHUNK)), [])
