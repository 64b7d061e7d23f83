"""The MS level that a field states, and which levels are no queries."""

from __future__ import annotations

import functools
import re

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.reading import Reading

_LEVEL = re.compile(r"(?:ms)?[ _^-]?(\d{1,2})(?:\.0*)?")
_WORDS = {"ms": 1, "ms/ms": 2, "msms": 2, "ms/ms/ms": 3}


@functools.lru_cache(maxsize=4096)
def ms_level(text: str) -> int | None:
    """`2`, `MS2`, `ms 2`, `MS/MS` -> 2, `MS` -> 1; None for what is no level: `Centroid`, `in-source`."""
    text = text.strip().lower()
    match = _LEVEL.fullmatch(text)
    return int(match[1]) if match else _WORDS.get(text)


def skip_reason(level_text: str | None, reading: Reading) -> str | None:
    """Why a spectrum of this level is skipped, None for MS2 and where the level is not known.

    The precursor of an MS1 spectrum is none, that of MS3 and deeper is a fragment: neither is the ion of a
    molecule. By the rule `msn` that of MS2 is taken for the deeper ones, which are then not skipped.
    """
    level = ms_level(level_text or "")
    if level == 1:
        return reasons.SKIPPED_MS1
    return reasons.SKIPPED_MS3 if level is not None and level > 2 and not reading.msn else None
