"""The molecules that a library of spectra names in its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from specbridge_tools.errors import FormatError
from specbridge_tools.molecules.lines import joined
from specbridge_tools.molecules.missing import is_missing
from specbridge_tools.molecules.raw import RawMolecule, one_line, structure_kind
from specbridge_tools.records import NO_STRUCTURE, Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.reader import read_stream
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.sniff import sniff
from specbridge_tools.spectra.spectrum import Spectrum

LIBRARY_FORMATS = ("mgf", "msp", "massbank", "sirius", "json", "mzspeclib")
"""Of spectra, the formats whose records name structures."""


def read_library_molecules(
    head: bytes, stream: BinaryIO, name: str, input_format: str, record_range: RecordRange | None
) -> Iterator[RawMolecule | Rejection] | None:
    """A `molecules.raw.LibraryReader`: one record for each that `read_spectra` yields, None for other files.

    A record whose spectrum cannot be used gives its molecule all the same. InChIKeys are no structures.
    """
    file_format = _format(head, name) if input_format == "auto" else input_format
    if file_format not in LIBRARY_FORMATS:
        return None
    records = read_stream(joined(head, stream), name, Reading(file_format, msn=True), record_range=record_range)
    return (_molecule(record, name) for record in records)


def _format(head: bytes, name: str) -> str | None:
    try:
        return sniff(head, name)
    except FormatError:
        return None


def _molecule(record: Spectrum | Rejection, source: str) -> RawMolecule | Rejection:
    fields: Mapping[str, str] = record.fields if isinstance(record, Rejection) else record.metadata
    structures = [one_line(fields.get(key, "").strip(' "')) for key in ("smiles", "inchi")]
    text, *others = list(dict.fromkeys(text for text in structures if not is_missing(text))) or [""]
    if not text:
        detail = "an InChIKey is not enough" if fields.get("inchikey") else "neither smiles nor inchi"
        if isinstance(record, Rejection):
            detail = f"{record.reason} {record.detail}".strip()
        return Rejection(NO_STRUCTURE, record.id, record.record, record.line, source, detail)
    name = one_line(fields.get("name", ""))
    return RawMolecule(text, structure_kind(text), one_line(record.id), name, record.record, record.line, tuple(others))
