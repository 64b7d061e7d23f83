"""Opening inputs (path, `-`, gzip), and writing outputs that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, TypeAlias, cast

from specbridge_tools.errors import DataError, TryAgainError, UsageError
from specbridge_tools.temporary import scratch_path, temporary_path
from specbridge_tools.terminal import TerminalText

Source: TypeAlias = "str | os.PathLike[str] | BinaryIO"
"""What readers take: a path, `-` for stdin, or an open binary file."""
Destination: TypeAlias = "str | os.PathLike[str]"
"""What writers take: a path, or `-` for stdout."""
InputStream: TypeAlias = "io.BufferedReader | io.BufferedRandom"
"""What an opened input is: a buffered binary file, with `peek`."""
STDIO = "-"
GZIP_MAGIC = b"\x1f\x8b"
_BUFFER = 1 << 20
_BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
# what may pass: a full disk, a disk or a file server that fails
TRY_AGAIN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT)


def display_name(source: Source) -> str:
    """The name of a source as messages show it: the path, `<stdin>`, or that of the open file."""
    if not isinstance(source, (str, os.PathLike)):
        return str(getattr(source, "name", "<stream>"))
    return "<stdin>" if str(source) == STDIO else str(source)


def is_regular_file(source: Source) -> bool:
    """Whether a source is a path, and not that of a pipe: its content can be read more than once."""
    if not isinstance(source, (str, os.PathLike)) or str(source) == STDIO:
        return False
    return Path(source).is_file() or not Path(source).exists()


@contextlib.contextmanager
def open_input(source: Source) -> Iterator[io.BufferedReader]:
    """Yield a path, `-` (stdin) or a binary file as a buffered stream; gzip is recognised by its first bytes.

    Only what was opened here is closed.

    Raises:
        DataError: If the file cannot be read, or its gzip stream is broken or grows out of all proportion.
        TryAgainError: If its device fails.
    """
    name = display_name(source)
    with contextlib.ExitStack() as stack:
        try:
            stream = _buffered(_opened(source, stack), stack)
            if stream.peek(2)[:2] == GZIP_MAGIC:
                stream = io.BufferedReader(stack.enter_context(_gzip_reader(stream, name)), _BUFFER)
                stream.peek(1)
        except (OSError, *_BROKEN_GZIP) as error:
            raise _read_error(error, name) from error
        try:
            yield stream
        except _BROKEN_GZIP as error:
            raise _read_error(error, name) from error


def _gzip_reader(stream: BinaryIO, name: str) -> io.RawIOBase:
    # late: most inputs are not zipped
    from specbridge_tools.gzip_file import GzipReader

    return GzipReader(stream, name)


def _opened(source: Source, stack: contextlib.ExitStack) -> BinaryIO:
    if not isinstance(source, (str, os.PathLike)):
        return source
    if str(source) == STDIO:
        return _standard("stdin")
    return stack.enter_context(open(source, "rb", buffering=_BUFFER))


def _buffered(stream: BinaryIO, stack: contextlib.ExitStack) -> io.BufferedReader:
    if hasattr(stream, "peek"):
        return cast("io.BufferedReader", stream)  # or like one: a caller's file
    reader: io.BufferedReader = io.BufferedReader(cast("io.RawIOBase", stream), _BUFFER)
    stack.callback(reader.detach)  # else the caller's file is closed with this reader
    return reader


def _read_error(error: BaseException, name: str) -> DataError | TryAgainError:
    if isinstance(error, _BROKEN_GZIP):
        return DataError(f"broken gzip stream ({error})", where=name, advice="copy or download it again")
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return TryAgainError(f"cannot be read ({error.strerror})", where=name)
    return DataError(f"cannot be read ({getattr(error, 'strerror', None) or error})", where=name)


def _standard(name: Literal["stdin", "stdout"]) -> BinaryIO:
    """The binary stream of this process; raises `DataError` if the shell has closed it."""
    stream = sys.stdin if name == "stdin" else sys.stdout
    if stream is None:
        raise DataError("is closed", where=f"<{name}>", advice="open it, or name a file")
    return stream.buffer


@contextlib.contextmanager
def seekable_input(source: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path for a source; stdin or a named pipe is first copied to a temporary file, removed at the end."""
    if str(source) != STDIO and not Path(source).is_fifo():
        yield Path(source)
        return
    with contextlib.ExitStack() as stack:
        path = stack.enter_context(scratch_path())
        pipe = _standard("stdin") if str(source) == STDIO else stack.enter_context(open(source, "rb"))
        copy_to_own(pipe, path)
        yield path


def copy_to_own(stream: BinaryIO, path: Path) -> None:
    """Copy a stream to a new file that its owner alone can read."""
    with open(path, "xb", opener=_for_its_owner) as copy:
        shutil.copyfileobj(stream, copy, _BUFFER)


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def check_output(destination: Destination, *, force: bool = False) -> None:
    """Raise `UsageError` if an output exists (without `force`), or its folder does not; call it before long work."""
    if str(destination) == STDIO:
        return
    path = Path(destination)
    if path.is_dir():
        raise UsageError("is a folder", where=path, advice="name a file")
    if not path.parent.is_dir():
        raise UsageError("the folder of the output does not exist", where=path, advice="make it first")
    if path.is_file() and not force:
        raise UsageError("exists already", where=path, advice="--force replaces it")


@contextlib.contextmanager
def output_path(destination: Destination, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write; at the end it is renamed to `destination`, or copied to stdout.

    After an exception nothing is left behind. What a killed process has left is removed when the next one on its
    machine writes the same output.

    Raises:
        UsageError: If the output exists and `force` is not set, or another process has written it meanwhile.
        TryAgainError: If the disk is full.
    """
    check_output(destination, force=force)
    streamed = str(destination) == STDIO or (Path(destination).exists() and not Path(destination).is_file())
    final = Path(destination)
    # of what is written to a pipe the copy waits with those of other commands
    with scratch_path() if streamed else temporary_path(final) as temporary, _disk_errors(destination):
        temporary.touch(mode=0o600 if streamed else 0o666, exist_ok=False)
        mode = temporary.stat().st_mode
        yield temporary
        if streamed:
            _copy_out(temporary, destination)
        else:
            temporary.chmod(mode)  # some writers replace the file by one that its owner alone can read
            _sync(temporary)
            _rename(temporary, final, force)
            _sync(final.parent)


@contextlib.contextmanager
def output_text(destination: Destination, *, force: bool = False, styled: bool = False) -> Iterator[TextIO]:
    """Yield a text file (UTF-8, Unix line ends): stdout itself, or a temporary file that is renamed at the end.

    On a terminal characters that control it are shown as escapes, unless the writer itself makes it `styled`.
    """
    if str(destination) == STDIO:
        stdout = _standard("stdout")
        wrapper = TerminalText if stdout.isatty() and not styled else io.TextIOWrapper
        stream = wrapper(stdout, encoding="utf-8", newline="\n", write_through=False)
        try:
            with _disk_errors(destination):
                yield stream
                stream.flush()
        finally:
            with contextlib.suppress(OSError, ValueError):
                stream.detach()
        return
    with (
        output_path(destination, force=force) as temporary,
        open(temporary, "w", encoding="utf-8", newline="\n") as file,
    ):
        yield file


def _copy_out(temporary: Path, destination: Destination) -> None:
    with open(temporary, "rb") as source:
        if str(destination) == STDIO:
            stdout = _standard("stdout")
            shutil.copyfileobj(source, stdout, _BUFFER)
            stdout.flush()
            return
        with open(destination, "wb") as sink:
            shutil.copyfileobj(source, sink, _BUFFER)


def _rename(temporary: Path, final: Path, force: bool) -> None:
    """Give the file its name; without `force`, do not replace a file that another process has written meanwhile."""
    if not force:
        try:
            os.link(temporary, final)
        except FileExistsError as error:
            advice = "--force replaces it"
            raise UsageError("was written by another process meanwhile", where=final, advice=advice) from error
        except OSError as error:
            if error.errno in TRY_AGAIN:
                raise
            check_output(final)  # a file system without hard links
        else:
            return
    os.replace(temporary, final)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors(destination: Destination) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = "<stdout>" if str(destination) == STDIO else destination
        if error.errno in TRY_AGAIN:
            raise TryAgainError(f"cannot be written ({error.strerror})", where=name) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG):
            raise DataError(f"cannot be written ({error.strerror})", where=name) from error
        raise


@contextlib.contextmanager
def rewindable(source: Source) -> Iterator[InputStream]:
    """Yield a buffered stream that `seek(0)` brings back to its start; a pipe is copied to a temporary file."""
    with open_input(source) as stream:
        if stream.seekable():
            yield stream
            return
        with tempfile.TemporaryFile(prefix="specbridge-") as copy:
            shutil.copyfileobj(stream, copy, _BUFFER)
            copy.seek(0)
            copy.raw.name = display_name(source)  # type: ignore[attr-defined]  # FileIO takes a name
            yield copy
