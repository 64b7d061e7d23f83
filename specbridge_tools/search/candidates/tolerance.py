"""How far a candidate's mass may lie from the neutral mass that follows from precursor m/z and adduct."""

from __future__ import annotations

import dataclasses
import math
import re

from specbridge_tools.errors import UsageError

# Sums of masses in different orders differ by less; so "inclusive" holds for the decimal numbers that people write.
_ROUNDING = 1e-9  # Da


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """`value` ppm of the neutral mass, or `value` Da; both ends of the window belong to it."""

    value: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """Read `10ppm` or `0.005Da`, with or without a space, in any case; raises `UsageError` for anything else."""
        match = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?\d+)?)\s*(ppm|da)\s*", text.lower())
        try:
            value = float(match[1]) if match else math.nan
        except ValueError:
            value = math.nan
        if not match or not (0 <= value < math.inf):
            raise UsageError(f"cannot read the tolerance {text!r}", advice="write it like 10ppm or 0.005Da")
        return cls(value, "ppm" if match[2] == "ppm" else "Da")

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    def window(self, neutral_mass: float) -> tuple[float, float]:
        """Lowest and highest exact mass (Da) for a neutral mass (Da)."""
        half = self.value * 1e-6 * abs(neutral_mass) if self.unit == "ppm" else self.value
        return neutral_mass - half - _ROUNDING, neutral_mass + half + _ROUNDING


DEFAULT_TOLERANCE = Tolerance(10.0, "ppm")
