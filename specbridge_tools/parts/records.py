"""The records of a file that is to be split, whatever it holds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TextIO

from specbridge_tools.errors import FormatError
from specbridge_tools.parts.keyed import Keyed
from specbridge_tools.parts.molecules import MoleculeRecords
from specbridge_tools.parts.spectra import SpectrumRecords
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.reader import HEAD, sniff
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.streams import display_name, open_input, seekable_input


class Record(Protocol):
    """One record that can be written to a part."""

    def write(self, stream: TextIO) -> None:
        """Add the record to an open text file."""


class Records(Protocol):
    """The records of one file, which can be read more than once.

    Attributes:
        noun: What they are, in the plural.
        suffix: Of the files that parts of them are written to, without the point.
    """

    noun: str
    suffix: str

    def read(self) -> Iterator[Record | Rejection]:
        """Yield every record in file order, or the reason why it cannot be used."""

    def molecules(self, *, with_structure: bool) -> Iterator[Keyed | Rejection]:
        """Yield, record by record as `read` does, the molecule that it is of, or the reason why there is none.

        Without `with_structure` the InChIKey block alone is enough.
        """

    def start(self, stream: TextIO) -> None:
        """Begin a part with what stands before the first record."""


@contextlib.contextmanager
def open_records(
    source: str | os.PathLike[str], *, reading: Reading = DEFAULT_READING, threads: int | None = None
) -> Iterator[Records]:
    """Yield the records of spectra or molecules, recognised by their content; stdin is copied to a temporary file.

    Args:
        source: Path or `-`.
        reading: How spectra are read.
        threads: For standardising molecules, None for all that the scheduler allows.
    """
    name = display_name(source)
    with seekable_input(source) as path:
        if reading.input_format != "auto" or _holds_spectra(path, name):
            yield SpectrumRecords(path, reading=reading, name=name)
        else:
            yield MoleculeRecords(path, name=name, threads=threads)


def _holds_spectra(path: Path, name: str) -> bool:
    with open_input(path) as stream:
        head = stream.read(HEAD)
    try:
        sniff(head, name)
        return True
    except FormatError:
        if b"\0" in head:
            raise
        return False
