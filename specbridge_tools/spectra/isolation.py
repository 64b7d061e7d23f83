"""The window that was isolated, and the precursor that it allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable

_ASSUMED_WIDTH = 10.0  # m/z, of a window of unknown width
_SLACK = 0.01  # m/z; windows are written with few digits
# Fields of Spectra, a package of R, in which the edges are m/z.
_FIELDS = ("isolationwindowtargetmz", "isolationwindowlowermz", "isolationwindowuppermz")


class Window(NamedTuple):
    """m/z of what was isolated; 0 for what is not known. A window of no width is one of unknown width."""

    target: float
    lower: float
    upper: float

    def allowed(self, precursor_mz: float, widest: float) -> float:
        """The precursor if it was isolated, else the target; without a width one of 10 m/z is assumed.

        Args:
            precursor_mz: As stated; 0 where it is not.
            widest: How wide the window may be, m/z.

        Raises:
            Unusable: The window is too wide to tell a precursor.
        """
        target, lower, upper = self
        if upper - lower > widest + _SLACK:
            advice = f"--isolation-width {math.ceil(upper - lower)} lets it pass"
            detail = f"{lower:g} to {upper:g}; the precursor is not known; {advice}"
            raise Unusable(reasons.WIDE_ISOLATION, detail)
        if not lower < upper:
            lower, upper = target - _ASSUMED_WIDTH / 2, target + _ASSUMED_WIDTH / 2
        is_inside = lower - _SLACK <= precursor_mz <= upper + _SLACK
        return precursor_mz if precursor_mz > 0 and (is_inside or not target) else target or precursor_mz


def window_of_offsets(target: str | None, below: str | None, above: str | None) -> Window:
    """The window of an mzML spectrum: its target and the distances of its edges."""
    middle = _number(target)
    lower, upper = middle - _number(below), middle + _number(above)
    return Window(middle, lower, upper)


def window_of_width(target: str | None, width: str | None) -> Window:
    """The window of an mzXML scan, whose target is the precursor."""
    middle, half = _number(target), _number(width) / 2
    return Window(middle, middle - half, middle + half)


def window_of_fields(fields: Mapping[str, str]) -> Window | None:
    """The window that a record of text states, None for most."""
    if _FIELDS[0] not in fields and _FIELDS[1] not in fields:
        return None
    target, lower, upper = (_number(fields.get(field)) for field in _FIELDS)
    return Window(target or (lower + upper) / 2, lower, upper)


def take_window(fields: dict[str, str], text: str | None, window: Window, widest: float) -> str | None:
    """The text of the precursor m/z that the window allows; what it replaces stays as the field `selected_ion_mz`.

    Raises:
        Unusable: The window is too wide to tell a precursor.
    """
    try:
        precursor_mz = float(text or 0)
    except ValueError:
        return text
    allowed = window.allowed(precursor_mz, widest)
    if allowed == precursor_mz:
        return text
    if text:
        fields["selected_ion_mz"] = text
    return repr(allowed)


def _number(text: str | None) -> float:
    """The value, 0 where there is none."""
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if 0 < value < float("inf") else 0.0
