"""Shards: ranges of the records of a file, for the tasks of an array job."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from specbridge_tools.errors import UsageError
from specbridge_tools.streams import Source, display_name, is_regular_file

Record = TypeVar("Record")


@dataclasses.dataclass(frozen=True)
class Shard:
    """One of `count` ranges of consecutive records, whose sizes differ by one at most; `number` is 1-based."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `3/20`; raises `UsageError` for anything else."""
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        number, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(f"{text!r} is no shard", advice="write number/count, such as 3/20; numbers begin at 1")
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def record_range(self, n: int) -> RecordRange:
        """The records of this shard in a file of `n` records."""
        return RecordRange(n * (self.number - 1) // self.count, n * self.number // self.count)


WHOLE = Shard(1, 1)


class RecordRange:
    """Which records of a file to read: those from `low` up to, but not including, `high`, 0-based.

    A reader asks `take` once for each record, in order, and may stop once the range `is_passed`.

    Attributes:
        n: How many records `take` was asked for.
    """

    def __init__(self, low: int = 0, high: float = math.inf) -> None:
        self.low = low
        self.high = high
        self.n = 0

    def take(self) -> bool:
        """Whether the next record is in the range."""
        self.n += 1
        return self.low < self.n <= self.high

    @property
    def is_passed(self) -> bool:
        """Whether no later record is in the range."""
        return self.n >= self.high

    def filter(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records in the range."""
        for record in () if self.is_passed else records:
            if self.take():
                yield record
            if self.is_passed:
                return


class Counter(RecordRange):
    """Takes no record and reads to the end: `n` is then their number."""

    def __init__(self) -> None:
        super().__init__(high=0)

    @property
    def is_passed(self) -> bool:
        return False


def require_file(source: Source) -> None:
    """Raise `UsageError` unless `source` is a file, which can be read twice: to count, and to read the shard."""
    if not is_regular_file(source):
        advice = "name a file, or cut the pipe with sb-split --size"
        raise UsageError("the records of a pipe cannot be counted first", where=display_name(source), advice=advice)


def array_text(numbers: Iterable[int]) -> str:
    """Numbers as the option `--array` of Slurm takes them: 3,5,17-19."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
