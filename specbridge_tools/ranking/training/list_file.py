"""Candidate lists with their truth in a file, so that a ranking is fitted anew without making them again."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError
from specbridge_tools.ranking.evidence import OWN, REFERENCE, Evidence, QueryConditions
from specbridge_tools.ranking.training.lists import LabelledList
from specbridge_tools.streams import output_path

FORMAT = "specbridge-ranking-lists 2"
_KINDS = (*OWN, *REFERENCE)
_ADVICE = "remove it, and the lists are made again"
_CONDITIONS = ("n_spectra", "n_peaks")
FilePath = str | os.PathLike[str]


def write_lists(lists: Sequence[LabelledList], path: FilePath, *, made_by: str, force: bool = False) -> None:
    """Write lists to an .npz file of plain arrays.

    Args:
        lists: At least one.
        path: Of the file.
        made_by: What they depend on, which `read_lists` compares.
        force: Replace a file.
    """
    values = {kind: np.concatenate([one.evidence.values[kind] for one in lists]) for kind in _KINDS}
    formulas, formula = np.unique([name for one in lists for name in one.evidence.formulas], return_inverse=True)
    conditions = [[float(getattr(one.evidence.query, name)) for name in _CONDITIONS] for one in lists]
    arrays: dict[str, Any] = {
        "header": np.array(json.dumps({"format": FORMAT, "kinds": _KINDS, "made_by": made_by})),
        "lengths": np.array([len(one.evidence) for one in lists]),
        "truth": np.array([one.truth for one in lists]),
        "molecule": np.array([one.molecule for one in lists]),
        "known": np.array([one.is_known for one in lists]),
        "conditions": np.array(conditions),
        "formulas": formulas,
        "formula": formula.astype(np.int32),
        **{f"value.{kind}": value for kind, value in values.items()},
    }
    with output_path(path, force=force) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_lists(path: FilePath, *, made_by: str | None = None) -> list[LabelledList]:
    """Read the lists of `write_lists`.

    Args:
        path: Of the file.
        made_by: What they must depend on; None for whatever they do.

    Raises:
        FormatError: For a file that holds something else, or lists that were made from other things.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop("header")))
        found = (header["format"], tuple(header["kinds"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FormatError("holds no candidate lists", where=path, advice=_ADVICE) from error
    if found != (FORMAT, _KINDS):
        raise FormatError("its lists hold other evidence than this release makes", where=path, advice=_ADVICE)
    if made_by is not None and header.get("made_by") != made_by:
        raise FormatError("its lists were made from other files or options", where=path, advice=_ADVICE)
    return list(_lists(arrays))


def _lists(arrays: dict[str, NDArray[Any]]) -> Iterator[LabelledList]:
    ends = np.cumsum(arrays["lengths"])
    names = arrays["formulas"][arrays["formula"]]
    for row, (start, end) in enumerate(zip((ends - arrays["lengths"]).tolist(), ends.tolist(), strict=True)):
        values = {kind: arrays[f"value.{kind}"][start:end] for kind in _KINDS}
        n_spectra, n_peaks = arrays["conditions"][row].tolist()
        evidence = Evidence(values, names[start:end].tolist(), QueryConditions(int(n_spectra), n_peaks))
        truth, molecule = int(arrays["truth"][row]), str(arrays["molecule"][row])
        yield LabelledList(evidence, truth, molecule, bool(arrays["known"][row]))
