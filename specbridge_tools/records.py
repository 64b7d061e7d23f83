"""What becomes of each input record: used, or rejected with a reason and counted."""

import collections
import contextlib
import csv
import dataclasses
import time

from specbridge_tools.errors import DataError
from specbridge_tools.streams import output_text


@dataclasses.dataclass(frozen=True)
class Rejection:
    """A record that cannot be used. `line` and `record` are 1-based; `line` is 0 where a format has no lines."""

    reason: str
    id: str = ""
    record: int = 0
    line: int = 0
    source: str = ""
    detail: str = ""


class Tally:
    """Counts records read, rejected and written; writes rejects to a table, or stops at the first with `strict`.

    `rejects` is an open text file or None. The time runs from construction.
    """

    COLUMNS = ("source", "record", "line", "id", "reason", "detail")

    def __init__(self, *, noun="records", rejects=None, strict=False):
        self.noun = noun
        self.strict = strict
        self.n_read = 0
        self.n_written = 0
        self.reasons = collections.Counter()
        self._started = time.monotonic()
        self._rows = None
        if rejects is not None:
            self._rows = csv.writer(rejects, delimiter="\t", lineterminator="\n")
            self._rows.writerow(self.COLUMNS)

    def beside(self, noun):
        """A tally of other records, whose rejects go to the same table."""
        other = Tally(noun=noun, strict=self.strict)
        other._rows = self._rows
        return other

    @property
    def n_rejected(self):
        return sum(self.reasons.values())

    def count(self, record):
        """Count one record of a reader; True when it can be used, False when it is a `Rejection`."""
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

    def usable(self, records):
        """Yield the records that can be used; count them all."""
        for record in records:
            if self.count(record):
                yield record

    def summary(self):
        """One line: read, rejected with reasons, written, seconds."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        rejected = f"{self.n_rejected} rejected" + (f" ({reasons})" if reasons else "")
        seconds = time.monotonic() - self._started
        return f"{self.n_read} {self.noun} read, {rejected}, {self.n_written} written, {seconds:.1f} s"


@contextlib.contextmanager
def open_tally(noun, *, rejects=None, strict=False, force=False):
    """Yield a `Tally` whose rejects go to the path `rejects`, where one is given."""
    if rejects is None:
        yield Tally(noun=noun, strict=strict)
        return
    with output_text(rejects, force=force) as stream:
        yield Tally(noun=noun, rejects=stream, strict=strict)
