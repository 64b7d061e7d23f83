"""Opening an HDF5 file that anyone may have made: read by a process of its own, checked before it is used.

Files of this package are flat: datasets of numbers and texts in the root group, plain or compressed with gzip, and
attributes of one value. `hdf5_process` is what reads them; a file on which the HDF5 library loops or crashes ends that
process, and here in a `FormatError`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import math
import multiprocessing
import os
import signal
import weakref
from collections.abc import Mapping
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.content import HDF5_SIGNATURE
from specbridge_tools.errors import DataError, FormatError, TryAgainError
from specbridge_tools.forks import end_of, fork
from specbridge_tools.hdf5_process import TEXT, Plain, serve

if TYPE_CHECKING:
    from typing_extensions import Self

_DAMAGED_ADVICE = "copy it or make it again"
_BROKEN_ADVICE = "the file is broken: copy it or make it again"
# of numbers that are asked for at once
_PIECE_BYTES = 1 << 26
_PIECE_ROWS = 1 << 16  # of texts
_EXPECTED: dict[type, str] = {int: "a whole number that is not negative", str: "a text"}
Value = TypeVar("Value", bound="int | str")
TextArray: TypeAlias = "NDArray[np.object_]"
"""An array of `str`."""
# the ends of connections in this process, which a fork must close: else it would hold on to the forks before it
_ENDS: weakref.WeakSet[Connection] = weakref.WeakSet()


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A dataset of an open file; slices of rows are read when they are asked for.

    Attributes:
        name: In the file.
        shape: (rows, ...), or () for a single value.
        dtype: Of numbers and texts of one length; object for texts of any length, which are read as str.
        offset: Where the values lie in the file, None where they are not in one block.
        attributes: By name.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int | None
    attributes: Mapping[str, Plain]
    _file: Hdf5File = dataclasses.field(repr=False)

    @property
    def is_text(self) -> bool:
        """Whether it holds texts of any length."""
        return self.dtype == object

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Read rows start:stop -> (stop - start, ...).

        Raises:
            FormatError: Where the file is damaged, or a text is not UTF-8.
        """
        start, stop, _ = rows.indices(len(self))
        stop = max(start, stop)
        return self._file.texts(self, start, stop) if self.is_text else self._file.numbers(self, start, stop)


class Hdf5File:
    """An open file, checked, as `open_hdf5` gives it. Use it in a `with` statement, or `close` it.

    Attributes:
        name: Of the file, for messages.
        attributes: Of the root, by name.
        datasets: By name.
    """

    def __init__(self, path: str | os.PathLike[str], name: str) -> None:
        self.name = name
        self._process, self._connection = _fork(os.fspath(path))
        try:
            contents = self._answer()
        except BaseException:
            self.close()
            raise
        self.attributes: Mapping[str, Plain] = contents["attributes"]
        self.datasets: Mapping[str, Dataset] = {
            key: Dataset(
                key,
                tuple(values["shape"]),
                np.dtype(object if values["dtype"] == TEXT else values["dtype"]),
                values["offset"],
                values["attributes"],
                self,
            )
            for key, values in contents["datasets"].items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_connection"):
            self.close()

    def attribute(self, name: str, kind: type[Value]) -> Value:
        """An attribute of the root: a text, or a whole number that is not negative.

        Raises:
            FormatError: Where it is missing or of another kind.
        """
        if name not in self.attributes:
            raise FormatError(f"attribute {name} is missing", where=self.name, advice=_BROKEN_ADVICE)
        value = self.attributes[name]
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            what = f"attribute {name} is {value!r}, expected {_EXPECTED[kind]}"
            raise FormatError(what, where=self.name, advice=_BROKEN_ADVICE)
        return value

    def close(self) -> None:
        """End the process of the file; nothing can be read afterwards."""
        if not self._connection.closed:
            self._connection.close()
            self._end()

    def numbers(self, dataset: Dataset, start: int, stop: int) -> NDArray[Any]:
        """Rows of a dataset of numbers."""
        values = np.empty((stop - start, *dataset.shape[1:]), dataset.dtype)
        row_bytes = dataset.dtype.itemsize * math.prod(dataset.shape[1:])
        step = max(1, _PIECE_BYTES // max(1, row_bytes))
        for low in range(0, len(values) if values.size else 0, step):
            part = values[low : low + step]
            self._ask(dataset, start + low, start + low + len(part))
            self._receive(part.reshape(-1).view(np.uint8))
        return values

    def texts(self, dataset: Dataset, start: int, stop: int) -> TextArray:
        """Rows of a dataset of texts, as str."""
        values = np.empty(stop - start, object)
        for low in range(0, len(values), _PIECE_ROWS):
            part = values[low : low + _PIECE_ROWS]
            self._ask(dataset, start + low, start + low + len(part))
            ends = np.empty(len(part), np.int64)
            self._receive(ends.view(np.uint8))
            blob = np.empty(int(ends[-1]), np.uint8)
            self._receive(blob)
            part[:] = self._decoded(blob.tobytes(), ends.tolist(), dataset.name)
        return values

    def _decoded(self, data: bytes, ends: list[int], column: str) -> list[str]:
        """Texts that lie end to end."""
        try:
            return [data[a:b].decode() for a, b in itertools.pairwise([0, *ends])]
        except UnicodeDecodeError as error:
            what = f"a text of dataset {column} is not UTF-8"
            raise FormatError(what, where=self.name, advice=_DAMAGED_ADVICE) from error

    def _ask(self, dataset: Dataset, start: int, stop: int) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionError):  # the answer says why
            self._connection.send_bytes(json.dumps([dataset.name, start, stop]).encode())
        self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, ConnectionError):
            raise self._ended() from None
        if "refused" in answer:
            advice = "no file of specbridge_tools has this: make it again with one of its commands"
            raise FormatError(answer["refused"], where=self.name, advice=advice)
        if "damaged" in answer:
            raise self._damaged(answer["damaged"])
        return answer

    def _receive(self, into: NDArray[np.uint8]) -> None:
        try:
            n_bytes = self._connection.recv_bytes_into(into.data)
        except (EOFError, ConnectionError):
            raise self._ended() from None
        if n_bytes != into.size:
            raise self._damaged(f"{n_bytes} bytes of {into.size}")

    def _ended(self) -> FormatError:
        """What to say of a file whose process has ended before its time."""
        self._connection.close()
        return self._damaged(f"the HDF5 library {end_of(-self._end())}")

    def _damaged(self, reason: str) -> FormatError:
        what = f"is a truncated or damaged HDF5 file ({reason})"
        return FormatError(what, where=self.name, advice=_DAMAGED_ADVICE)

    def _end(self) -> int:
        """End the process, which has nothing to save; returns its status, or minus the signal that had ended it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        except ChildProcessError:
            return 0


def _fork(path: str) -> tuple[int, Connection]:
    """Start the process of a file; returns its id and the connection to it."""
    ours, theirs = multiprocessing.Pipe()
    try:
        process = fork()
    except OSError as error:
        ours.close()
        theirs.close()
        raise TryAgainError(f"cannot start a process that reads {path} ({error.strerror})") from error
    if not process:
        for end in (ours, *_ENDS):
            end.close()
        serve(theirs, path)
    theirs.close()
    _ENDS.add(ours)
    return process, ours


def open_hdf5(path: str | os.PathLike[str], name: str, *, expected: str, advice: str = _DAMAGED_ADVICE) -> Hdf5File:
    """Open a file for reading, once its structure has been checked.

    Args:
        path: of a file; a pipe must have been copied (`streams.seekable_input`).
        name: of the file, as messages show it.
        expected: what the file should be, e.g. `an index`.
        advice: how to make such a file; shown where this is not HDF5.

    Raises:
        DataError: The file cannot be read.
        FormatError: It is not HDF5, damaged, or holds what no file of this package does: links, groups, data outside
            the file, virtual datasets, filters other than gzip and shuffle, types other than numbers and strings,
            attributes of several values, more data than its bytes can hold.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(len(HDF5_SIGNATURE))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=name) from error
    if start != HDF5_SIGNATURE:
        what = "is not an HDF5 file" if start else "is empty"
        raise FormatError(f"{what}, expected {expected}", where=name, advice=advice)
    return Hdf5File(path, name)
