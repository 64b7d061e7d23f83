"""Shards: stretches of the records of a file, for the tasks of an array job."""

import dataclasses
import math
import re

from specbridge_tools.errors import UsageError
from specbridge_tools.streams import display_name, is_regular_file


@dataclasses.dataclass(frozen=True)
class Shard:
    """Number `number` (from 1) of `count` stretches of consecutive records, whose sizes differ by one at most."""

    number: int
    count: int

    @classmethod
    def parse(cls, text):
        """`3/20`; raises `UsageError` for anything else."""
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        number, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(f"shard {text!r}", advice="write it like 3/20: number, from 1, and how many there are")
        return cls(number, count)

    def __str__(self):
        return f"{self.number}/{self.count}"

    def record_range(self, n):
        """The `RecordRange` of this shard in a file of `n` records."""
        return RecordRange(n * (self.number - 1) // self.count, n * self.number // self.count)


WHOLE = Shard(1, 1)


class RecordRange:
    """Tells a reader which records are wanted: those that `low` others come before, up to the one that makes `high`.

    A reader asks `take` once for each record, in order, and may stop when the range `is_passed`. `n` counts.
    """

    def __init__(self, low=0, high=math.inf):
        self.low = low
        self.high = high
        self.n = 0

    def take(self):
        """Whether the next record is wanted."""
        self.n += 1
        return self.low < self.n <= self.high

    @property
    def is_passed(self):
        """No record that follows is wanted."""
        return self.n >= self.high

    def filter(self, records):
        """Yield those of `records` that are wanted."""
        if self.is_passed:
            return
        for record in records:
            if self.take():
                yield record
            if self.is_passed:
                return


class Counter(RecordRange):
    """Wants no record and reads to the end: `n` is then their number."""

    def __init__(self):
        super().__init__(high=0)

    @property
    def is_passed(self):
        return False


def require_file(source):
    """Raise `UsageError` unless `source` is a file, which can be read twice: once to count, once to take the shard."""
    if not is_regular_file(source):
        advice = "name a file, or cut the pipe with sb-split --size"
        raise UsageError(
            "the records of a pipe cannot be counted beforehand", where=display_name(source), advice=advice
        )


def array_text(numbers):
    """Numbers as `--array` of Slurm takes them: 3,5,17-19."""
    stretches = []
    for number in sorted(numbers):
        if stretches and number == stretches[-1][1] + 1:
            stretches[-1][1] = number
        else:
            stretches.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in stretches)
