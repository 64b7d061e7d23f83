"""Why a structure has no standard form."""

from __future__ import annotations

UNREADABLE = "structure cannot be read"
NOT_NEUTRAL = "structure cannot be written again once neutralised"
TOO_LARGE = "structure is too large"  # in characters, atoms or rings
NO_ORGANIC_FRAGMENT = "no organic fragment"
WILDCARD = "structure holds a wildcard atom"
NO_INCHIKEY = "structure has no InChIKey"
NOT_DRAWN = "too large to be drawn"

OF_A_STRUCTURE = frozenset((NOT_NEUTRAL, TOO_LARGE, NO_ORGANIC_FRAGMENT, WILDCARD, NO_INCHIKEY))
"""Of what is a structure for all that."""
