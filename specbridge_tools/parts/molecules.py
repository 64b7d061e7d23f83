"""The records of a file of molecules, as a split takes them."""

import dataclasses

from specbridge_tools.molecules.lines import numbered_lines
from specbridge_tools.molecules.reader import HEAD, read_molecules, read_raw
from specbridge_tools.molecules.sdf import END_OF_RECORD
from specbridge_tools.molecules.sniff import sniff
from specbridge_tools.records import Rejection
from specbridge_tools.streams import open_input


@dataclasses.dataclass(frozen=True)
class TextRecord:
    """One record as it stands in its file, all its lines."""

    text: str


class MoleculeRecords:
    """Rows of a table, lines of a .smi file or records of an SDF in file order; parts repeat the header."""

    noun = "molecules"

    def __init__(self, path, *, name, threads=None):
        self._path = path
        self._name = name
        self._threads = threads
        with open_input(path) as stream:
            self.suffix = sniff(stream.read(HEAD), name) or "tsv"
        self.header = self._read_header()

    def read(self):
        """Yield each `TextRecord`, or the `Rejection` of what is no record of its format."""
        with open_input(self._path) as stream:
            lines = _Lines(numbered_lines(b"", stream, self._name))
            records = read_raw(self._path, input_format=self.suffix)
            record = next(records, None)
            if record is not None:
                lines.before(record.line)
            while record is not None:
                following = next(records, None)
                text = lines.rest() if following is None else lines.before(following.line)
                yield record if isinstance(record, Rejection) else TextRecord(text)
                record = following

    def _read_header(self):
        first = next(read_raw(self._path, input_format=self.suffix), None)
        if first is None:
            return ""
        with open_input(self._path) as stream:
            return _Lines(numbered_lines(b"", stream, self._name)).before(first.line)

    def molecules(self, *, with_structure):
        """Yield, record by record as `read` does, (InChIKey block, canonical SMILES) or a `Rejection`."""
        for molecule in read_molecules(self._path, input_format=self.suffix, threads=self._threads):
            yield molecule if isinstance(molecule, Rejection) else (molecule.inchikey14, molecule.smiles)

    def start(self, stream):
        """Begin a part with what stands before the first record: a table's header."""
        stream.write(self.header)

    def write(self, record, stream):
        """Add one record to a part."""
        stream.write(record.text)
        if self.suffix == "sdf" and not record.text.rstrip().endswith(END_OF_RECORD):
            stream.write(f"{END_OF_RECORD}\n")


class _Lines:
    """Hands out the lines of a file in stretches."""

    def __init__(self, numbered):
        self._numbered = numbered
        self._ahead = None

    def before(self, number):
        """The lines from where the last stretch ended up to the one before `number`."""
        stretch = []
        while (self._ahead or self._advance()) and self._ahead[0] < number:
            stretch.append(self._ahead[1])
            self._ahead = None
        return "".join(f"{line}\n" for line in stretch)

    def rest(self):
        """All lines that are left."""
        return self.before(float("inf"))

    def _advance(self):
        self._ahead = next(self._numbered, None)
        return self._ahead
