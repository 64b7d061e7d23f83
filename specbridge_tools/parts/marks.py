"""The `Part` that a file says it is: an attribute of HDF5, the last column of a table of hits."""

from specbridge_tools.content import HDF5_SIGNATURE, foreign
from specbridge_tools.hdf5_file import hdf5_errors, open_hdf5
from specbridge_tools.provenance import Part
from specbridge_tools.streams import open_input

_LONGEST_HEADER = 1 << 16


def read_part(path, name=None):
    """The `Part` of a file, or None where it does not say; raises `FormatError` where the file was cut short."""
    name = name or str(path)
    with open_input(path) as stream:
        head = stream.read(_LONGEST_HEADER)
    if head.startswith(HDF5_SIGNATURE):
        return _of_hdf5(path, name)
    if foreign(head) or not head:
        return None
    return Part.parse(head.partition(b"\n")[0].decode(errors="replace").rpartition("\t")[2].rstrip("\r"))


def _of_hdf5(path, name):
    with open_hdf5(path, name, expected="embeddings or an index") as file, hdf5_errors(name):
        return Part.parse(str(file.attrs.get("part", "")))
