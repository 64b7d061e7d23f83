"""Opening inputs (path, `-`, gzip) and writing outputs that appear whole or not at all."""

import contextlib
import errno
import gzip
import io
import os
import shutil
import socket
import sys
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO, TypeAlias

from specbridge_tools.errors import DataError, TryAgainError, UsageError

Source: TypeAlias = "str | os.PathLike[str] | BinaryIO"
"""What readers take: a path, `-` for stdin, or an open binary file."""
STDIO = "-"
GZIP_MAGIC = b"\x1f\x8b"
_BUFFER = 1 << 20
_BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
# what may pass by itself: a full disk, a disk or a file server that fails
TRY_AGAIN = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT)


def display_name(source):
    """The name of a source as messages show it: the path, or `<stdin>`."""
    if hasattr(source, "read"):
        return str(getattr(source, "name", "<stream>"))
    return "<stdin>" if str(source) == STDIO else str(source)


def is_regular_file(source):
    """Whether a source is a path, and not that of a pipe: what is there can be read more than once."""
    is_path = not hasattr(source, "read") and str(source) != STDIO
    return is_path and (Path(source).is_file() or not Path(source).exists())


@contextlib.contextmanager
def open_input(source):
    """Open a path, `-` (stdin) or a binary file for reading; gzip is recognised by its first bytes.

    Yields a buffered binary stream with `peek`. Only what was opened here is closed. Raises `DataError` where the file
    cannot be read or its gzip stream is broken.
    """
    name = display_name(source)
    with contextlib.ExitStack() as stack:
        try:
            if hasattr(source, "read"):
                raw = source
            elif str(source) == STDIO:
                raw = _standard("stdin")
            else:
                raw = stack.enter_context(open(source, "rb", buffering=_BUFFER))
            if not hasattr(raw, "peek"):
                raw = io.BufferedReader(raw, _BUFFER)
                stack.callback(raw.detach)  # else the caller's file is closed with this reader
            if raw.peek(2)[:2] == GZIP_MAGIC:
                unzipped = stack.enter_context(gzip.GzipFile(fileobj=raw, mode="rb"))
                raw = io.BufferedReader(unzipped, _BUFFER)
                raw.peek(1)
        except (OSError, *_BROKEN_GZIP) as error:
            raise _read_error(error, name) from error
        try:
            yield raw
        except _BROKEN_GZIP as error:
            raise _read_error(error, name) from error


def _read_error(error, name):
    if isinstance(error, _BROKEN_GZIP):
        return DataError(f"broken gzip stream ({error})", where=name, advice="copy or download it again")
    if error.errno == errno.EIO:
        return TryAgainError(f"cannot be read ({error.strerror})", where=name)
    return DataError(f"cannot be read ({error.strerror or error})", where=name)


def _standard(name):
    """The binary stream `stdin` or `stdout` of this process, which is None where the shell has closed it."""
    stream = getattr(sys, name)
    if stream is None:
        raise DataError("is closed", where=f"<{name}>", advice="open it, or name a file")
    return stream.buffer


@contextlib.contextmanager
def seekable_input(source):
    """Yield a path for a source; stdin or a named pipe is first copied to a temporary file, removed afterwards."""
    if str(source) != STDIO and not Path(source).is_fifo():
        yield Path(source)
        return
    with tempfile.NamedTemporaryFile(prefix="specbridge-", suffix=".tmp") as spool, contextlib.ExitStack() as stack:
        pipe = _standard("stdin") if str(source) == STDIO else stack.enter_context(open(source, "rb"))
        shutil.copyfileobj(pipe, spool, _BUFFER)
        spool.flush()
        yield Path(spool.name)


def check_output(destination, *, force=False):
    """Refuse an output that exists (without `force`) or whose folder does not; call it before long work."""
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
def output_path(destination, *, force=False):
    """Yield a temporary path to write; at the end it is renamed to `destination` or copied to stdout.

    After an exception nothing stays behind; what a process that was killed has left is removed when the next one on its
    machine writes the same output. Raises `UsageError` where the output exists and `force` is not set, also where
    another process was faster, and `TryAgainError` where the disk is full.
    """
    check_output(destination, force=force)
    streamed = str(destination) == STDIO or (Path(destination).exists() and not Path(destination).is_file())
    if streamed:
        handle, name = tempfile.mkstemp(prefix="specbridge-", suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
    else:
        final = Path(destination)
        _remove_leftovers(final)
        temporary = final.with_name(f"{_temporary_prefix(final)}{os.getpid()}.tmp")
    try:
        with _disk_errors(destination):
            temporary.touch()
            mode = temporary.stat().st_mode
            yield temporary
            if streamed:
                _copy_out(temporary, destination)
            else:
                temporary.chmod(mode)  # some writers make a file of their own, for its owner alone
                _sync(temporary)
                _rename(temporary, final, force)
                _sync(final.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def output_text(destination, *, force=False):
    """Yield a text file (UTF-8, `\\n`): stdout as it is written, or a temporary file renamed at the end."""
    if str(destination) == STDIO:
        stream = io.TextIOWrapper(_standard("stdout"), encoding="utf-8", newline="\n", write_through=False)
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
        open(temporary, "w", encoding="utf-8", newline="\n") as stream,
    ):
        yield stream


def _copy_out(temporary, destination):
    with open(temporary, "rb") as source:
        if str(destination) == STDIO:
            stdout = _standard("stdout")
            shutil.copyfileobj(source, stdout, _BUFFER)
            stdout.flush()
            return
        with open(destination, "wb") as sink:
            shutil.copyfileobj(source, sink, _BUFFER)


def _temporary_prefix(final):
    return f".{final.name}.{socket.gethostname()}."


def _remove_leftovers(final):
    """Remove temporary files and folders for this output of processes of this machine that are no more."""
    prefix, names = _temporary_prefix(final), []
    with contextlib.suppress(OSError):
        names = os.listdir(final.parent)
    for name in names:
        process = name.removeprefix(prefix).partition(".")[0]
        if name.startswith(prefix) and process.isdigit() and not _is_alive(int(process)):
            path = final.with_name(name)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _rename(temporary, final, force):
    """Give the file its name; without `force` not that of a file which another process has written meanwhile."""
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


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_errors(destination):
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
def rewindable(source):
    """Yield a binary file with `peek` that `seek(0)` brings back to its start; a pipe is copied to a temporary file."""
    with open_input(source) as stream:
        if _can_rewind(stream):
            yield stream
            return
        with tempfile.TemporaryFile(prefix="specbridge-") as copy:
            shutil.copyfileobj(stream, copy, _BUFFER)
            copy.seek(0)
            copy.raw.name = display_name(source)
            yield copy


def _can_rewind(stream):
    raw = getattr(stream, "raw", stream)
    return (raw.fileobj if isinstance(raw, gzip.GzipFile) else stream).seekable()
