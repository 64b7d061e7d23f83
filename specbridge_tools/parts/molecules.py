"""The records of a file of molecules, as a split takes them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.reader import HEAD, read_molecules, read_raw
from specbridge_tools.molecules.sdf import END_OF_RECORD
from specbridge_tools.molecules.sniff import sniff
from specbridge_tools.parts.keyed import Keyed
from specbridge_tools.records import Rejection
from specbridge_tools.streams import open_input


@dataclasses.dataclass(frozen=True)
class TextRecord:
    """One record as its file has it, all its lines."""

    text: str

    def write(self, stream: TextIO) -> None:
        """Add the record to an open text file."""
        stream.write(self.text)


class MoleculeRecords:
    """`parts.records.Records` of a table (rows), a .smi file (lines) or an SDF; parts repeat the header of a table."""

    noun = "molecules"

    def __init__(self, path: Path, *, name: str, threads: int | None = None) -> None:
        self._path = path
        self._name = name
        self._threads = threads
        with open_input(path) as stream:
            self.suffix = sniff(stream.read(HEAD), name) or "tsv"
        self.header = self._read_header()

    def read(self) -> Iterator[TextRecord | Rejection]:
        with open_input(self._path) as stream:
            lines = _Lines(numbered_lines(b"", stream, self._name))
            records = read_raw(self._path, input_format=self.suffix)
            record = next(records, None)
            if record is not None:
                lines.before(record.line)
            while record is not None:
                following = next(records, None)
                text = lines.before(math.inf if following is None else following.line)
                yield record if isinstance(record, Rejection) else TextRecord(self._ended(text))
                record = following

    def molecules(self, *, with_structure: bool) -> Iterator[Keyed | Rejection]:
        for molecule in read_molecules(self._path, input_format=self.suffix, threads=self._threads):
            if isinstance(molecule, Rejection):
                yield molecule
            else:
                yield Keyed(molecule.id, molecule.inchikey14, molecule.smiles)

    def start(self, stream: TextIO) -> None:
        stream.write(self.header)

    def _read_header(self) -> str:
        """The lines before the first record."""
        first = next(read_raw(self._path, input_format=self.suffix), None)
        if first is None:
            return ""
        with open_input(self._path) as stream:
            return _Lines(numbered_lines(b"", stream, self._name)).before(first.line)

    def _ended(self, text: str) -> str:
        """The text of a record with its end, which the last record of an SDF may lack."""
        is_open = self.suffix == "sdf" and not text.rstrip().endswith(END_OF_RECORD)
        return f"{text}{END_OF_RECORD}\n" if is_open else text


class _Lines:
    """Hands out the numbered lines of a file in runs."""

    def __init__(self, numbered: Iterator[tuple[int, str]]) -> None:
        self._numbered = numbered
        self._next = next(numbered, None)

    def before(self, number: float) -> str:
        """The lines from where the last run ended up to the one before `number`."""
        lines = []
        while self._next is not None and self._next[0] < number:
            lines.append(f"{self._next[1]}\n")
            self._next = next(self._numbered, None)
        return "".join(lines)
