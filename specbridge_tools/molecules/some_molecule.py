"""A file that gives no molecule is no file of molecules, whatever it looked like."""

from __future__ import annotations

import collections
import itertools
import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.reasons import OF_A_STRUCTURE
from specbridge_tools.molecules.sniff import EXPECTED
from specbridge_tools.records import NO_STRUCTURE, Rejection

FIRST_RECORDS = 100
_Beside = TypeVar("_Beside")
logger = logging.getLogger(__name__)


def with_some_molecule(
    records: Iterator[tuple[Molecule | Rejection, _Beside]], name: str, *, is_said: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Molecule | Rejection, _Beside]]:
    """Yield what is read of a file, from the first structure on as it comes; warn where there is nothing.

    `is_said` tells whether that was said already.

    Raises:
        FormatError: None of the first hundred records, or of all where there are fewer, is a structure.
        DataError: No record of the whole file gives a molecule.
    """
    first: list[tuple[Molecule | Rejection, _Beside]] = []
    for record in itertools.islice(records, FIRST_RECORDS):
        first.append(record)
        if _is_structure(record[0]):
            break
    else:
        _refuse_others([record for record, _ in first if isinstance(record, Rejection)], name)
    reasons: collections.Counter[str] = collections.Counter()
    n_molecules = 0
    for record in itertools.chain(first, records):
        if isinstance(record[0], Rejection):
            reasons[record[0].reason] += 1
        else:
            n_molecules += 1
        yield record
    if reasons and not n_molecules:
        raise DataError(
            f"gives no molecule: all {reasons.total()} records are rejected ({_counts(reasons)})", where=name
        )
    if not reasons and not n_molecules and not is_said():
        logger.warning("%s: is empty: it holds no record", name)


def _is_structure(record: Molecule | Rejection) -> bool:
    return not isinstance(record, Rejection) or record.reason in OF_A_STRUCTURE


def _refuse_others(rejected: list[Rejection], name: str) -> None:
    """Refuse a file that begins with these records, unless all that they lack is a structure."""
    reasons = collections.Counter(record.reason for record in rejected)
    if set(reasons) <= {NO_STRUCTURE}:
        return
    n = len(rejected)
    which = "its only record is no structure" if n == 1 else f"none of its first {n} records is a structure"
    example = next((f", the first {record.detail!r}" for record in rejected if record.detail), "")
    message = f"is no file of molecules: {which} ({_counts(reasons)}{example})"
    raise FormatError(message, where=name, advice=EXPECTED)


def _counts(reasons: collections.Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
