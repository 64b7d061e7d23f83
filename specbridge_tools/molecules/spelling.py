"""What can be told of a SMILES by its letters."""

from __future__ import annotations

import re

# What a SMILES must hold before anything has to be removed from it: fragments, stereo, charges, numbered atoms,
# isotopes, alkali metals. All but the first few need a bracket, so that most SMILES never see the expression.
_MARKS = frozenset(".@/\\[")
_NOT_PLAIN = re.compile(r"[.@/\\]|[+-]\d*(?::\d+)?\]|:\d+\]|\[\d|\[(?:Li|Na|K|Rb|Cs)")
_STEREO = re.compile(r"[@/\\]|\[\d")


def is_plain(smiles: str) -> bool:
    """Whether nothing has to be removed from a SMILES: it holds one neutral fragment without stereo and isotopes."""
    return _MARKS.isdisjoint(smiles) or not _NOT_PLAIN.search(smiles)


def has_stereo(smiles: str) -> bool:
    """Whether a SMILES has marks of stereo or of isotopes."""
    return _STEREO.search(smiles) is not None
