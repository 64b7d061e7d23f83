"""One file -> parts: folds of whole groups of molecules for training, or stretches of equal size for many jobs."""

import contextlib
import itertools

import numpy as np

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.evaluation.splits import CLUSTER_THRESHOLD, assign_folds, group_molecules
from specbridge_tools.parts.part import Part
from specbridge_tools.records import Rejection

_FOLD_NAMES = {2: ("train", "val"), 3: ("train", "val", "test")}
_DIGITS = 4


def fold_names(n):
    """train, val and test for 2 or 3 folds, else fold1, fold2, ..."""
    return _FOLD_NAMES.get(n, tuple(f"fold{i}" for i in range(1, n + 1)))


def split_into_folds(records, outputs, tally, *, by, fractions, seed=0, threshold=CLUSTER_THRESHOLD):
    """Write one part per fraction, no group of molecules in two of them; returns the `Part`s.

    records: `parts.spectra.SpectrumRecords` or alike, read twice; outputs: `parts.outputs.PartOutputs`; `by` and
    `threshold` as in `evaluation.splits.group_molecules`, or `record`: each record its own group. Records without the
    structure that this takes are counted by `tally` as rejected. The same input and seed give the same parts.
    """
    names = fold_names(len(fractions))
    for name in names:
        outputs.check(name)
    used, keys, groups = _groups(records, tally, by, threshold)
    folds = assign_folds(keys, groups, fractions, seed)
    fold_of = np.full(len(used), -1)
    fold_of[np.array(used, bool)] = folds
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(outputs.open(name)) for name in names]
        for stream in streams:
            records.start(stream)
        for record, fold in zip(records.read(), fold_of, strict=True):
            if fold >= 0:
                records.write(record, streams[fold])
    tally.n_written = len(folds)
    return [_part(outputs, name, folds == i, keys, groups, by) for i, name in enumerate(names)]


def _groups(records, tally, by, threshold):
    """(used: one flag a record, key and group of each used record)"""
    used, keys, smiles = [], [], {}
    if by == "record":
        used = [tally.count(record) for record in records.read()]
        return used, np.arange(sum(used)), np.arange(sum(used))
    for molecule in records.molecules(with_structure=by != "molecule"):
        used.append(tally.count(molecule))
        if used[-1]:
            smiles.setdefault(*molecule)
            keys.append(molecule[0])
    group_of = dict(zip(smiles, group_molecules(list(smiles.values()), by, threshold=threshold).tolist(), strict=True))
    return used, np.array(keys), np.array([group_of[key] for key in keys], np.int64)


def _part(outputs, name, mine, keys, groups, by):
    counts = (None, None) if by == "record" else (len(np.unique(keys[mine])), len(np.unique(groups[mine])))
    return Part(name, str(outputs.path(name)), int(mine.sum()), *counts)


def split_into_stretches(records, outputs, tally, *, n_parts=None, size=None):
    """Write consecutive records, in order, as parts 0001, 0002, ...; returns the `Part`s.

    Either `n_parts` parts whose sizes differ by one at most (the file is read twice), or parts of `size` records, the
    last one smaller. Raises `DataError` for more parts than records.
    """
    if (n_parts is None) == (size is None):
        raise UsageError("give either a number of parts or their size")
    sizes = itertools.repeat(size) if n_parts is None else _even_sizes(records, n_parts)
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
            records.write(first, stream)
            for record in itertools.islice(usable, length - 1):
                records.write(record, stream)
                n_written += 1
        parts.append(Part(name, str(outputs.path(name)), n_written))
    if not parts:
        raise DataError(f"no {records.noun} to split", advice="see the reasons with --rejects FILE")
    _refuse_older_parts(outputs, len(parts))
    tally.n_written = sum(part.n_records for part in parts)
    return parts


def _even_sizes(records, n_parts):
    n = sum(not isinstance(record, Rejection) for record in records.read())
    if 0 < n < n_parts:
        raise DataError(f"{n} {records.noun} cannot fill {n_parts} parts", advice="ask for fewer parts")
    return [n // n_parts + (i < n % n_parts) for i in range(n_parts)]


def _refuse_older_parts(outputs, n):
    """Parts that an earlier split left behind the last one would be taken for parts of this one."""
    beyond = outputs.path(f"{n + 1:0{_DIGITS}d}")
    if beyond.exists():
        raise UsageError("is left from an earlier split into more parts", where=beyond, advice="remove it first")
