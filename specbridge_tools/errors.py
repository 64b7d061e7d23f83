"""The exceptions of the package, each with the exit status that a command ends with."""

from __future__ import annotations

EXIT_DONE = 0
EXIT_BAD_DATA = 1
EXIT_USAGE = 2
EXIT_MISMATCH = 3
EXIT_TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: schedulers requeue on it


class SpecbridgeError(Exception):
    """A failure that a user can act on.

    Attributes:
        message: What was found, and what was expected.
        where: Name of the file.
        line: Place in the file, 1-based.
        record: Place in the file, 1-based, where it has no lines.
        advice: What to do.
    """

    exit_status = EXIT_BAD_DATA

    def __init__(
        self,
        message: str,
        *,
        where: object = None,
        line: int | None = None,
        record: int | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.line = line
        self.record = record
        self.advice = advice

    def __str__(self) -> str:
        place = "" if self.where is None else f"{self.where}: "
        if self.line is not None:
            place += f"line {self.line}: "
        elif self.record is not None:
            place += f"record {self.record}: "
        advice = "" if self.advice is None else f"; {self.advice}"
        return f"{place}{self.message}{advice}"


class DataError(SpecbridgeError):
    """An input cannot be read, or holds something that it must not hold."""


class NoneUsableError(DataError):
    """An input was read to its end, and none of its records can be used."""


class FormatError(DataError):
    """A file is not of the expected format, or not of the expected version."""


class UsageError(SpecbridgeError):
    """Options that make no sense together, or an output that already exists."""

    exit_status = EXIT_USAGE


class MismatchError(SpecbridgeError):
    """Files that do not belong together: another encoder, model, dimension or other weights."""

    exit_status = EXIT_MISMATCH


class TryAgainError(SpecbridgeError):
    """A failure that may pass: a full disk, an I/O error, no memory left on the GPU."""

    exit_status = EXIT_TRY_AGAIN
