"""The records of a file that is to be split, whatever it holds."""

import contextlib

from specbridge_tools.errors import FormatError
from specbridge_tools.parts.molecules import MoleculeRecords
from specbridge_tools.parts.spectra import SpectrumRecords
from specbridge_tools.spectra.reader import HEAD, sniff
from specbridge_tools.streams import display_name, open_input, seekable_input


@contextlib.contextmanager
def open_records(source, *, input_format="auto", threads=None):
    """Yield the `SpectrumRecords` or `MoleculeRecords` of a path or `-`, recognised by its content.

    They can be read more than once: stdin is first copied to a temporary file. threads: as in `read_molecules`.
    """
    name = display_name(source)
    with seekable_input(source) as path:
        if input_format != "auto" or _holds_spectra(path, name):
            yield SpectrumRecords(path, input_format=input_format, name=name)
        else:
            yield MoleculeRecords(path, name=name, threads=threads)


def _holds_spectra(path, name):
    with open_input(path) as stream:
        head = stream.read(HEAD)
    try:
        sniff(head, name)
        return True
    except FormatError:
        if b"\0" in head:
            raise
        return False
