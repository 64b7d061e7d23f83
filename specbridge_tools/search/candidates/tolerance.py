"""How far a candidate's mass may lie from the neutral mass that precursor m/z and adduct give."""

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
    def parse(cls, text):
        """`10ppm` or `0.005Da`, with or without a blank, in any case; raises `UsageError` for anything else."""
        match = re.fullmatch(r"\s*([0-9.]+(?:e[+-]?\d+)?)\s*(ppm|da)\s*", text.lower())
        try:
            value = float(match[1])
        except (TypeError, ValueError):
            value = math.nan
        if not (0 <= value < math.inf):
            raise UsageError(f"tolerance {text!r}", advice="write it like 10ppm or 0.005Da")
        return cls(value, "ppm" if match[2] == "ppm" else "Da")

    def __str__(self):
        return f"{self.value:g} {self.unit}"

    def window(self, neutral_mass):
        """Neutral mass (Da) -> (lowest, highest) exact mass (Da)."""
        half = self.value * 1e-6 * abs(neutral_mass) if self.unit == "ppm" else self.value
        return neutral_mass - half - _ROUNDING, neutral_mass + half + _ROUNDING


DEFAULT_TOLERANCE = Tolerance(10.0, "ppm")
