"""Structures -> standard forms, in this process or as a child that answers JSON lines on its standard streams.

A request is `{"fingerprint": [radius, bits] or null, "structures": [[text, kind], ...]}`, an answer the list of
`[smiles, inchikey14, formula, exact_mass, isomeric_smiles]`, followed by `[bits...], [counts...]` where a fingerprint
was asked for, or of the reason why there is none.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.molecule import StandardForm


def standardise_all(
    structures: Iterable[tuple[str, str]], fingerprint: tuple[int, int] | None
) -> list[StandardForm | str]:
    """Standard forms of (text, kind), or the reason why one has none; `fingerprint` is (radius, bits)."""
    return [_standardised(text, kind, fingerprint) for text, kind in structures]


def _standardised(text: str, kind: str, fingerprint: tuple[int, int] | None) -> StandardForm | str:
    from specbridge_tools.molecules.chemistry import standardise

    try:
        return standardise(text, kind=kind, fingerprint=fingerprint)
    except DataError as error:
        return error.message


def serve() -> None:
    """Answer requests from stdin until it ends; what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            results = standardise_all(request["structures"], request["fingerprint"])
            # dumps, not dump, which writes piece by piece
            answers.write(json.dumps([_to_json(result) for result in results]) + "\n")
            answers.flush()
    except BrokenPipeError:
        # the process that asked is gone
        os._exit(0)


def _to_json(result: StandardForm | str) -> list[Any] | str:
    if isinstance(result, str):
        return result
    *values, counts = result
    return values if counts is None else [*values, list(counts), list(counts.values())]


def read_answer(line: bytes) -> list[StandardForm | str]:
    """The results in a line that `serve` has written."""
    return [result if isinstance(result, str) else _from_json(*result) for result in json.loads(line)]


def _from_json(
    smiles: str, inchikey14: str, formula: str, exact_mass: float, isomeric_smiles: str, *counts: list[int]
) -> StandardForm:
    pairs = dict(zip(*counts, strict=True)) if counts else None
    return StandardForm(smiles, inchikey14, formula, exact_mass, isomeric_smiles, pairs)
