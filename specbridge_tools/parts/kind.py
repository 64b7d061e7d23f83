"""What a file holds, by its content."""

from __future__ import annotations

from pathlib import Path

from specbridge_tools.content import HDF5_SIGNATURE, beginning, refuse_blank
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.hits.rows import is_hits_header
from specbridge_tools.molecules.sniff import sniff as sniff_molecules
from specbridge_tools.spectra.mzmlb import MZML
from specbridge_tools.spectra.reader import HEAD
from specbridge_tools.spectra.reader import sniff as sniff_spectra
from specbridge_tools.streams import open_input

HDF5_KINDS = {
    "specbridge-molecules": "molecule embeddings",
    "specbridge-spectra": "spectrum embeddings",
    "specbridge-index": "index",
    "specbridge-reference": "reference",
}
_KNOWN = "hits, spectra, tables of molecules, embeddings, indexes and references"


def kind_of(path: Path, name: str) -> str:
    """Recognise a file by its content.

    Args:
        path: The file.
        name: As messages show it.

    Returns:
        `hits (tsv)`, `hits (jsonl)`, `spectra` of any format, `molecules (tsv)` and so on, or a value of `HDF5_KINDS`.

    Raises:
        FormatError: For any other file, an empty one too.
    """
    with open_input(path) as stream:
        head = stream.read(HEAD)
    if head.startswith(HDF5_SIGNATURE):
        return _hdf5_kind(path, name)
    if not head.strip():
        refuse_blank(head, name, HEAD)
        raise FormatError("is empty", where=name)
    first = head.lstrip().splitlines()[0].removeprefix(b"\xef\xbb\xbf")
    if first.startswith(b"{") and b'"query_id"' in first:
        return "hits (jsonl)"
    if is_hits_header(first.decode(errors="replace")):
        return "hits (tsv)"
    for sniff, label in ((sniff_spectra, "spectra"), (sniff_molecules, "molecules ({})")):
        try:
            return label.format(sniff(head, name))
        except FormatError:
            continue
    raise FormatError(f"is of no known kind; it begins with {beginning(head)}", where=name, advice=f"known: {_KNOWN}")


def _hdf5_kind(path: Path, name: str) -> str:
    with open_hdf5(path, name, expected="embeddings, an index or a reference") as file:
        found = str(file.attributes.get("format", ""))
        if found not in HDF5_KINDS and MZML in file.datasets:
            return "spectra"
    if found not in HDF5_KINDS:
        raise FormatError(f"is an HDF5 file of another program (format {found!r})", where=name)
    return HDF5_KINDS[found]
