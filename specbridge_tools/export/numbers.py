"""Numbers as exports print them."""

from __future__ import annotations

import math


def decimal(number: float, spec: str, *, missing: str = "") -> str:
    """A number by a format such as `.5f`, `missing` for NaN."""
    return missing if math.isnan(number) else format(number, spec)
