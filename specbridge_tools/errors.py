"""The exceptions of the package, each with the exit status that a command ends with."""

EXIT_DONE = 0
EXIT_BAD_DATA = 1
EXIT_USAGE = 2
EXIT_MISMATCH = 3
EXIT_TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: schedulers requeue on it


class SpecbridgeError(Exception):
    """A failure that a user can act on.

    `where` names the file, and with `line` or `record` (both 1-based) the place in it; `advice` says what to do.
    """

    exit_status = EXIT_BAD_DATA

    def __init__(self, message, *, where=None, line=None, record=None, advice=None):
        super().__init__(message)
        self.message = message
        self.where = where
        self.line = line
        self.record = record
        self.advice = advice

    def __str__(self):
        place = "" if self.where is None else f"{self.where}: "
        if self.line is not None:
            place += f"line {self.line}: "
        elif self.record is not None:
            place += f"record {self.record}: "
        advice = "" if self.advice is None else f"; {self.advice}"
        return f"{place}{self.message}{advice}"


class DataError(SpecbridgeError):
    """An input cannot be read or holds something that it must not hold."""


class FormatError(DataError):
    """A file is not of the format, or not of the version, that was expected."""


class UsageError(SpecbridgeError):
    """Options that make no sense together, or an output that exists already."""

    exit_status = EXIT_USAGE


class MismatchError(SpecbridgeError):
    """Files that do not belong together: another encoder, model, dimension or other weights."""

    exit_status = EXIT_MISMATCH


class TryAgainError(SpecbridgeError):
    """What may pass by itself: a full disk, an I/O error, no memory on the GPU."""

    exit_status = EXIT_TRY_AGAIN
