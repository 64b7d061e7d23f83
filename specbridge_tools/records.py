"""What becomes of each input record: used, or rejected with a reason and counted."""

from __future__ import annotations

import collections
import contextlib
import csv
import dataclasses
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO, TypeVar

from specbridge_tools.errors import DataError, NoneUsableError
from specbridge_tools.streams import output_text
from specbridge_tools.terminal import quotable

NO_STRUCTURE = "no structure"
"""Why a record is rejected that does not say which molecule it is of."""
Record = TypeVar("Record")
_NAMED = 3


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
        fields: What was read of it, by name.
    """

    reason: str
    id: str = ""
    record: int = 0
    line: int = 0
    source: str = ""
    detail: str = ""
    fields: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False, compare=False)


class Noted:
    """A record that can be used, of which a closing line says something.

    Attributes:
        id: As in the file.
        notes: What is said of it, a few words each, the same for all such records; () for nothing.
    """

    id: str
    notes: tuple[str, ...]


class Tally:
    """Counts records read, rejected and written; lists rejected ones in a table, or stops at the first.

    Its time runs from construction.
    """

    COLUMNS = ("source", "record", "line", "id", "reason", "detail")

    def __init__(
        self, *, noun: str = "records", rejects: TextIO | None = None, strict: bool = False, allow_empty: bool = True
    ) -> None:
        """Count from zero.

        Args:
            noun: What the records are, in the plural.
            rejects: The table of rejected records, TSV.
            strict: Whether the first rejected record is an error.
            allow_empty: Whether `require_usable` lets pass that every record was rejected.
        """
        self.noun = noun
        self.strict = strict
        self.allow_empty = allow_empty
        self.n_read = 0
        self.n_written = 0
        self.reasons: collections.Counter[str] = collections.Counter()
        self.notes: collections.Counter[str] = collections.Counter()
        self._noted: dict[str, list[str]] = {}
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
            if isinstance(record, Noted):
                self.note(record.id, record.notes)
            return True
        self.reasons[record.reason] += 1
        if self._rows is not None:
            values = [getattr(record, name) for name in self.COLUMNS]
            self._rows.writerow([quotable(value) if isinstance(value, str) else value for value in values])
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

    def note(self, name: str, notes: Iterable[str]) -> None:
        """Count what is said of the usable record `name`; the first names are kept."""
        for note in notes:
            self.notes[note] += 1
            named = self._noted.setdefault(note, [])
            if len(named) < _NAMED:
                named.append(name)

    def usable(self, records: Iterable[Record | Rejection]) -> Iterator[Record]:
        """Yield the records that can be used, and count all."""
        for record in records:
            if self.count(record) and not isinstance(record, Rejection):
                yield record

    def summary(self) -> str:
        """One line: read, rejected with reasons, written, what is said of them with the first names, seconds."""
        rejected = f"{self.n_rejected} rejected" + (f" ({self._reasons()})" if self.reasons else "")
        seconds = time.monotonic() - self._started
        notes = "".join(f", {count} {note} ({self._names(note)})" for note, count in self.notes.most_common())
        return f"{self.n_read} {self.noun} read, {rejected}, {self.n_written} written{notes}, {seconds:.1f} s"

    def require_usable(self, where: object) -> None:
        """Raise `NoneUsableError` where every record was rejected, unless that is allowed; no record at all is fine.

        Args:
            where: Name of the file.
        """
        if self.allow_empty or not self.n_read or self.n_rejected < self.n_read:
            return
        message = f"none of {self.n_read} {self.noun} can be used ({self._reasons()})"
        raise NoneUsableError(message, where=where, advice="--rejects FILE lists them, --allow-empty lets it pass")

    def _reasons(self) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())

    def _names(self, note: str) -> str:
        named = self._noted[note]
        return ", ".join(named) + (", ..." if self.notes[note] > len(named) else "")


@contextlib.contextmanager
def open_tally(
    noun: str,
    *,
    rejects: str | os.PathLike[str] | None = None,
    strict: bool = False,
    force: bool = False,
    allow_empty: bool = True,
) -> Iterator[Tally]:
    """Yield a `Tally` that lists its rejected records in a table at the path `rejects`, if there is one.

    The table stays where no record can be used: it says why.
    """
    if rejects is None:
        yield Tally(noun=noun, strict=strict, allow_empty=allow_empty)
        return
    failure = None
    with output_text(rejects, force=force) as stream:
        try:
            yield Tally(noun=noun, rejects=stream, strict=strict, allow_empty=allow_empty)
        except NoneUsableError as error:
            failure = error
    if failure is not None:
        raise failure
