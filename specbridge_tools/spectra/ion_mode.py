"""Ion modes in the words of the field -> +1, -1 or 0."""

from __future__ import annotations

import re

KEYS_OF_TWO_USES = frozenset(("ion", "ion_type", "iontype", "ionization", "ionisation"))
"""Fields that hold an adduct or an ionisation in some dialects, and an ion mode (`IONTYPE: positive`) in others."""
# Spectra and mzR, packages of R: 0 negative, 1 positive, -1 not known (documentation of `polarity` in mzR::header).
_CODE = re.compile(r"(-?[01])(?:\.0*)?")
_MEANING_OF_CODE = {"0": "negative", "1": "positive", "-1": "unknown"}
# What says how ions are made, or nothing, beside the sign: `ESI-`, `negative ion mode`.
_NEUTRAL = frozenset(
    (
        *("esi", "nesi", "nanoesi", "hesi", "electrospray", "spray", "nano", "heated", "apci", "appi", "maldi", "ldi"),
        *("ei", "ci", "nci", "pci", "fab", "fd", "dart", "desi", "lc", "gc", "ms", "hplc", "uhplc", "uplc", "qtof"),
        *("ion", "ions", "mode", "ionization", "ionisation", "polarity", "scan", "qqq", "ft", "orbitrap", "charge"),
    )
)
_UNKNOWN = frozenset(
    ("", "?", "n/a", "na", "nan", "none", "null", "unknown", "undefined", "unspecified", "not specified", "any", "unk")
)
_STEMS = ("pos", "cation", "neg", "anion")
_DASHES = str.maketrans("−–—‐‑⁻⁺", "------+")
# a dash between two letters or digits joins them: LC-ESI, positive-20eV
_ENCLOSED_MARK = re.compile(r"\(([+-])\)")
_MARK = re.compile(r"(?<![^\W_])[+-]|[+-](?![^\W_])")


def polarity_of(text: str) -> int | None:
    """`positive`, `Pos`, `P`, `+`, `ESI+`, `1+` -> 1; `negative`, `N`, `-`, `ESI(-)` -> -1; None if not understood.

    0 where the text says that the mode is unknown, or names an ionisation alone (`ESI`).
    """
    text = text.strip().lower().translate(_DASHES)
    if text in _UNKNOWN:
        return 0
    words = re.findall(r"[^\W\d_]+", text)
    signs = {1 if word[0] in "pc" else -1 for word in words if word in "pn" or word.startswith(_STEMS)}
    is_neutral = all(word in _NEUTRAL for word in words)
    if not signs and is_neutral:
        signs = {1 if mark == "+" else -1 for mark in _ENCLOSED_MARK.findall(text) or _MARK.findall(text)}
        if not signs and (words or text == "1"):
            return 0 if words else 1
    return signs.pop() if len(signs) == 1 else None


def meaning_of_code(text: str) -> str | None:
    """The word for the code of a field `polarity` of R, None for any other text."""
    match = _CODE.fullmatch(text)
    return _MEANING_OF_CODE[match[1].replace("-0", "0")] if match else None
