"""What becomes of each input record: used, or rejected with a reason and counted."""

from __future__ import annotations

import collections
import contextlib
import csv
import dataclasses
import os
import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

from specbridge_tools.errors import DataError
from specbridge_tools.streams import output_text

NO_STRUCTURE = "no structure"
"""Why a record is rejected that does not say which molecule it is of."""
Record = TypeVar("Record")


@dataclasses.dataclass(frozen=True)
class Rejection:
    """A record that cannot be used.

    Attributes:
        reason: A few words, the same for all records with this fault: they are counted by it.
        id: As in the file, '' where it has none.
        record: Place in the file, 1-based.
        line: Place in the file, 1-based; 0 where its format has no lines.
        source: Name of the file.
        detail: What is particular to this record.
    """

    reason: str
    id: str = ""
    record: int = 0
    line: int = 0
    source: str = ""
    detail: str = ""


class Tally:
    """Counts records read, rejected and written; lists rejected ones in a table, or stops at the first.

    Its time runs from construction.
    """

    COLUMNS = ("source", "record", "line", "id", "reason", "detail")

    def __init__(self, *, noun: str = "records", rejects: TextIO | None = None, strict: bool = False) -> None:
        """Count from zero.

        Args:
            noun: What the records are, in the plural.
            rejects: The table of rejected records, TSV.
            strict: Whether the first rejected record is an error.
        """
        self.noun = noun
        self.strict = strict
        self.n_read = 0
        self.n_written = 0
        self.reasons: collections.Counter[str] = collections.Counter()
        self._started = time.monotonic()
        self._rows = None
        if rejects is not None:
            self._rows = csv.writer(rejects, delimiter="\t", lineterminator="\n")
            self._rows.writerow(self.COLUMNS)

    def beside(self, noun: str) -> Tally:
        """A tally of other records, which lists its rejected ones in the same table."""
        other = Tally(noun=noun, strict=self.strict)
        other._rows = self._rows
        return other

    @property
    def n_rejected(self) -> int:
        return sum(self.reasons.values())

    def count(self, record: object) -> bool:
        """Count one record of a reader; True if it can be used, False for a `Rejection`.

        Raises:
            DataError: For a `Rejection`, if the tally is strict.
        """
        self.n_read += 1
        if not isinstance(record, Rejection):
            return True
        self.reasons[record.reason] += 1
        if self._rows is not None:
            self._rows.writerow([getattr(record, name) for name in self.COLUMNS])
        if self.strict:
            detail = f" ({record.detail})" if record.detail else ""
            raise DataError(
                f"{record.reason}{detail}",
                where=record.source or None,
                line=record.line or None,
                record=record.record or None,
                advice="--strict makes the first rejected record an error",
            )
        return False

    def usable(self, records: Iterable[Record | Rejection]) -> Iterator[Record]:
        """Yield the records that can be used, and count all."""
        for record in records:
            if self.count(record) and not isinstance(record, Rejection):
                yield record

    def summary(self) -> str:
        """One line: read, rejected with reasons, written, seconds."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        rejected = f"{self.n_rejected} rejected" + (f" ({reasons})" if reasons else "")
        seconds = time.monotonic() - self._started
        return f"{self.n_read} {self.noun} read, {rejected}, {self.n_written} written, {seconds:.1f} s"


@contextlib.contextmanager
def open_tally(
    noun: str, *, rejects: str | os.PathLike[str] | None = None, strict: bool = False, force: bool = False
) -> Iterator[Tally]:
    """Yield a `Tally` that lists its rejected records in a table at the path `rejects`, if there is one."""
    if rejects is None:
        yield Tally(noun=noun, strict=strict)
        return
    with output_text(rejects, force=force) as stream:
        yield Tally(noun=noun, rejects=stream, strict=strict)
