"""The words that tables write where there is no value."""

from __future__ import annotations

# R and CompTox write NA and N/A, pandas nan and <NA>, spreadsheets #N/A, Python None, SQL NULL and \N, MassBank -
MISSING_WORDS = frozenset(("", "na", "n/a", "#n/a", "<na>", "nan", "none", "null", "-", "--", "\\n"))
_LONGEST = max(map(len, MISSING_WORDS))


def is_missing(text: str) -> bool:
    """Whether a cell without blanks around it says that there is no value."""
    return len(text) <= _LONGEST and text.lower() in MISSING_WORDS
