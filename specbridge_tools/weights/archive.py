"""The zip archive of a torch checkpoint that anyone may have made: members are no larger than the file can hold."""

from __future__ import annotations

import contextlib
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from specbridge_tools.errors import DataError, FormatError

# numbers are packed no closer, and torch packs them not at all
_MOST_INFLATION = 20
_SMALL = 1 << 20
# storages that tensors share are read once for each; an honest file shares few
_MOST_READ = 4  # times the size of the file
_BROKEN_ZIP = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError, ValueError)


class Archive:
    """An open archive; what is read of it in all is in proportion to its size."""

    def __init__(self, archive: zipfile.ZipFile, path: str | Path) -> None:
        self._archive = archive
        self._path = path
        self._n_bytes = os.path.getsize(path)
        self._left = _MOST_READ * self._n_bytes + _SMALL

    def names(self) -> list[str]:
        return self._archive.namelist()

    def size(self, name: str) -> int | None:
        """Bytes of a member, None where there is none."""
        return self._archive.getinfo(name).file_size if name in self._archive.NameToInfo else None

    def read(self, name: str, *, most: int = _SMALL) -> bytes:
        """A member.

        Raises:
            FormatError: Where it is larger than `most`, packed closer than tensors are, or broken; or where all that
                was read together is more than the file can hold.
        """
        member = self._archive.getinfo(name)
        if member.compress_size > self._n_bytes:
            raise FormatError(f"{name} in it is larger than the file", where=self._path)
        if member.file_size > min(most, member.compress_size * _MOST_INFLATION + _SMALL):
            raise FormatError(f"{name} in it is too large for a checkpoint of tensors", where=self._path)
        self._left -= member.file_size
        if self._left < 0:
            raise FormatError("its tensors are more than the file can hold: many share a storage", where=self._path)
        try:
            return self._archive.read(member)
        except _BROKEN_ZIP as error:
            raise FormatError(f"{name} in it is missing or broken ({error})", where=self._path) from error


@contextlib.contextmanager
def open_archive(path: str | Path) -> Iterator[Archive]:
    """Yield the archive at a path; `DataError` where it cannot be read, `FormatError` where it is none."""
    with contextlib.ExitStack() as stack:
        try:
            opened = Archive(stack.enter_context(zipfile.ZipFile(path)), path)
        except _BROKEN_ZIP as error:
            raise FormatError(
                "is no torch checkpoint, a broken one, or one of a format before torch 1.6",
                where=path,
                advice="copy it again, or load it with torch and save it again",
            ) from error
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error
        yield opened
