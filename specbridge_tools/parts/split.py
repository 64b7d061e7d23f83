"""One file -> parts: folds of whole groups of molecules for training, or ranges of equal size for many jobs."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError, NoneUsableError, UsageError
from specbridge_tools.evaluation.splits import CLUSTER_THRESHOLD, assign_folds, group_molecules
from specbridge_tools.parts.outputs import PartOutputs
from specbridge_tools.parts.records import Records
from specbridge_tools.records import Rejection, Tally

_FOLD_NAMES = {2: ("train", "val"), 3: ("train", "val", "test")}
_DIGITS = 4


@dataclasses.dataclass(frozen=True)
class SplitPart:
    """One part that a split has made.

    Attributes:
        name: Such as `train`, or its number.
        path: Of its file.
        n_records: How many records it holds.
        n_molecules: How many molecules, None where the split did not look at structures.
        n_groups: How many groups of molecules, None likewise.
    """

    name: str
    path: str
    n_records: int
    n_molecules: int | None = None
    n_groups: int | None = None


def parts_table(parts: Iterable[SplitPart]) -> Iterator[str]:
    """The parts as lines of TSV, a header first; unknown counts are empty."""
    yield "part\tfile\trecords\tmolecules\tgroups"
    for part in parts:
        yield "\t".join("" if value is None else str(value) for value in dataclasses.astuple(part))


def fold_names(n: int) -> tuple[str, ...]:
    """Name n folds: train, val (and test) for 2 or 3, else fold1, fold2, ..."""
    return _FOLD_NAMES.get(n, tuple(f"fold{i}" for i in range(1, n + 1)))


def split_into_folds(
    records: Records,
    outputs: PartOutputs,
    tally: Tally,
    *,
    by: str,
    fractions: Sequence[float],
    seed: int = 0,
    threshold: float = CLUSTER_THRESHOLD,
) -> list[SplitPart]:
    """Write one part per fraction, no group of molecules in two of them; the same input and seed give the same parts.

    Args:
        records: Are read twice.
        outputs: Files of the parts.
        tally: Counts the records; those without the structure that the grouping needs are rejected.
        by: As in `evaluation.splits.group_molecules`, or `record`: each record is its own group.
        fractions: Of the records, above 0, scaled to sum to 1.
        seed: Of the draw.
        threshold: As in `evaluation.splits.group_molecules`.

    Raises:
        DataError: Where no record can be used.
    """
    names = fold_names(len(fractions))
    for name in names:
        outputs.check(name)
    used, keys, groups = _groups(records, tally, by, threshold)
    if not any(used):
        raise _nothing_to_split(records)
    folds = assign_folds(keys, groups, fractions, seed)
    fold_of = np.full(len(used), -1)
    fold_of[np.array(used, bool)] = folds
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(outputs.open(name)) for name in names]
        for stream in streams:
            records.start(stream)
        for record, fold in zip(records.read(), fold_of, strict=True):
            if fold >= 0 and not isinstance(record, Rejection):
                record.write(streams[fold])
    tally.n_written = len(folds)
    return [_part(outputs, name, folds == i, keys, groups, by) for i, name in enumerate(names)]


def _groups(
    records: Records, tally: Tally, by: str, threshold: float
) -> tuple[list[bool], NDArray[Any], NDArray[np.int64]]:
    """(whether each record is used, key of each used record, its group)."""
    used: list[bool] = []
    if by == "record":
        used = [tally.count(record) for record in records.read()]
        return used, np.arange(sum(used)), np.arange(sum(used))
    keys: list[str] = []
    smiles_of: dict[str, str] = {}
    for molecule in records.molecules(with_structure=by != "molecule"):
        used.append(tally.count(molecule))
        if not isinstance(molecule, Rejection):
            smiles_of.setdefault(molecule.inchikey14, molecule.smiles)
            keys.append(molecule.inchikey14)
    groups = group_molecules(list(smiles_of.values()), by, threshold=threshold)
    group_of = dict(zip(smiles_of, groups.tolist(), strict=True))
    return used, np.array(keys), np.array([group_of[key] for key in keys], np.int64)


def _part(
    outputs: PartOutputs,
    name: str,
    in_fold: NDArray[np.bool_],
    keys: NDArray[Any],
    groups: NDArray[np.int64],
    by: str,
) -> SplitPart:
    path, n_records = str(outputs.path(name)), int(in_fold.sum())
    if by == "record":
        return SplitPart(name, path, n_records)
    return SplitPart(name, path, n_records, len(np.unique(keys[in_fold])), len(np.unique(groups[in_fold])))


def split_into_ranges(
    records: Records, outputs: PartOutputs, tally: Tally, *, n_parts: int | None = None, size: int | None = None
) -> list[SplitPart]:
    """Write consecutive records, in order, as parts 0001, 0002, ...

    Args:
        records: Are read twice for `n_parts`.
        outputs: Files of the parts.
        tally: Counts the records.
        n_parts: How many parts, whose sizes differ by one at most.
        size: Records of each part instead; the last one may have fewer.

    Raises:
        DataError: For more parts than records, or without a record that can be used.
    """
    sizes: Iterable[int]
    if n_parts is not None and size is None:
        sizes = _even_sizes(records, n_parts)
    elif size is not None and n_parts is None:
        sizes = itertools.repeat(size)
    else:
        raise UsageError("give either a number of parts or their size")
    usable = tally.usable(records.read())
    parts = []
    for number, length in enumerate(sizes, start=1):
        first = next(usable, None)
        if first is None:
            break
        name = f"{number:0{_DIGITS}d}"
        n_written = 1
        with outputs.open(name) as stream:
            records.start(stream)
            first.write(stream)
            for record in itertools.islice(usable, length - 1):
                record.write(stream)
                n_written += 1
        parts.append(SplitPart(name, str(outputs.path(name)), n_written))
    # what follows the last usable record is counted as well
    collections.deque(usable, maxlen=0)
    if not parts:
        raise _nothing_to_split(records)
    _refuse_older_parts(outputs, len(parts))
    tally.n_written = sum(part.n_records for part in parts)
    return parts


def _nothing_to_split(records: Records) -> NoneUsableError:
    return NoneUsableError(f"no {records.noun} to split", advice="see the reasons with --rejects FILE")


def _even_sizes(records: Records, n_parts: int) -> list[int]:
    n = sum(not isinstance(record, Rejection) for record in records.read())
    if 0 < n < n_parts:
        raise DataError(f"{n} {records.noun} cannot fill {n_parts} parts", advice="ask for fewer parts")
    return [n // n_parts + (i < n % n_parts) for i in range(n_parts)]


def _refuse_older_parts(outputs: PartOutputs, n: int) -> None:
    """Raise `UsageError` where an earlier split left more parts, which would be taken for parts of this one."""
    beyond = outputs.path(f"{n + 1:0{_DIGITS}d}")
    if beyond.exists():
        raise UsageError("is left from an earlier split into more parts", where=beyond, advice="remove it first")
