"""Structures -> standard forms, as plain values that pass between processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from specbridge_tools.errors import DataError

Form = list[Any] | str


def forms_of(structures: Iterable[tuple[str, str]], fingerprint: tuple[int, int] | None) -> list[Form]:
    """Standardise structures.

    Args:
        structures: (text, kind) of each.
        fingerprint: (radius, bits), or None.

    Returns:
        For each [smiles, inchikey14, formula, exact_mass, isomeric_smiles], with [bits...], [counts...] behind where a
        fingerprint is asked for; or the reason why there is none.
    """
    return [_form_of(text, kind, fingerprint) for text, kind in structures]


def _form_of(text: str, kind: str, fingerprint: tuple[int, int] | None) -> Form:
    from specbridge_tools.molecules import chemistry

    try:
        if fingerprint is None:
            form, counts = chemistry.standardise(text, kind=kind), None
        else:
            radius, bits = fingerprint
            form, counts = chemistry.standardise_counted(text, kind=kind, radius=radius, bits=bits)
    except DataError as error:
        return error.message
    values = [form.smiles, form.inchikey14, form.formula, form.exact_mass, form.isomeric_smiles]
    return values if counts is None else [*values, list(counts), list(counts.values())]
