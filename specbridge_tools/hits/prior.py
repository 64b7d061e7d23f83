"""What is known of molecules before any spectrum: a count of each, such as of patents, as a part of the score."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError, UsageError
from specbridge_tools.molecules.counts import count_column, parse_count

_PREFIX = "prior:"


@dataclasses.dataclass(frozen=True)
class Prior:
    """`weight` * ln(1 + count) is added to a score; the counts are the column `count` of the molecules."""

    count: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        count_column(self.count)
        if not 0 < self.weight < float("inf"):
            raise UsageError(f"no weight of a prior: {self.weight!r}", advice="give a number above 0")

    @classmethod
    def parse(cls, text: str) -> Prior:
        """`patents` or `patents:0.5`.

        Raises:
            UsageError: It is neither.
        """
        count, colon, weight = text.rpartition(":")
        if not colon:
            return cls(text)
        try:
            return cls(count, float(weight))
        except ValueError:
            advice = "write it as in patents or patents:0.5"
            raise UsageError(f"no weight of a prior: {weight!r}", advice=advice) from None

    def __str__(self) -> str:
        return f"{self.count}:{self.weight:g}"

    @property
    def source(self) -> str:
        """The column of the molecules that holds the counts."""
        return count_column(self.count)

    @property
    def column(self) -> str:
        """The column of the hits that holds the counts, and by its name says what was done with them."""
        return f"{_PREFIX}{self}"

    def contribution(self, counts: Iterable[str]) -> NDArray[np.float64]:
        """(n,) what is added to the scores of molecules with these counts.

        Raises:
            FormatError: One is no number from 0: the file is damaged.
        """
        texts = list(counts)
        if broken := next((text for text in texts if parse_count(text) is None), None):
            raise FormatError(f"{self.count} of a molecule is {broken[:40]!r}", advice="build the index again")
        return self.weight * np.log1p(np.array(texts, np.float64))


def prior_of(columns: Sequence[str]) -> str:
    """The prior that hits with these columns were ranked with, as in `patents:0.5`; '' for none."""
    return next((name.removeprefix(_PREFIX) for name in columns if name.startswith(_PREFIX)), "")
