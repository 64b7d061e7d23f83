"""The records of a file of spectra, as a split takes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from specbridge_tools.molecules.identity import structure, structure_key
from specbridge_tools.parts.keyed import Keyed
from specbridge_tools.records import NO_STRUCTURE, Noted, Rejection
from specbridge_tools.spectra.mgf import mgf_text
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum


@dataclasses.dataclass(frozen=True)
class SpectrumRecord(Noted):
    """One spectrum, which is written as MGF whatever the format of its file."""

    spectrum: Spectrum

    @property
    def id(self) -> str:  # type: ignore[override]
        return self.spectrum.id

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.spectrum.notes

    def write(self, stream: TextIO) -> None:
        """Add the spectrum to an open text file."""
        stream.write(mgf_text(self.spectrum))


class SpectrumRecords:
    """`parts.records.Records` of spectra in any format; parts are MGF."""

    noun = "spectra"
    suffix = "mgf"

    def __init__(self, path: Path, *, reading: Reading = DEFAULT_READING, name: str) -> None:
        self._path = path
        self._reading = reading
        self._name = name
        self._is_read = False

    def read(self) -> Iterator[SpectrumRecord | Rejection]:
        for record in self._spectra():
            yield record if isinstance(record, Rejection) else SpectrumRecord(record)

    def molecules(self, *, with_structure: bool) -> Iterator[Keyed | Rejection]:
        for record in self._spectra():
            yield record if isinstance(record, Rejection) else self._molecule(record, with_structure)

    def _spectra(self) -> Iterator[Spectrum | Rejection]:
        again, self._is_read = self._is_read, True
        return read_spectra(self._path, reading=self._reading, again=again)

    def _molecule(self, spectrum: Spectrum, with_structure: bool) -> Keyed | Rejection:
        form = structure(spectrum) if with_structure else None
        key = form.inchikey14 if form else structure_key(spectrum)
        if key is not None and (form is not None or not with_structure):
            return Keyed(spectrum.id, key, form.smiles if form else "", spectrum.notes)
        detail = "smiles or inchi is needed" if with_structure else "smiles, inchi or inchikey is needed"
        return Rejection(NO_STRUCTURE, spectrum.id, spectrum.record, spectrum.line, self._name, detail)

    def start(self, stream: TextIO) -> None:
        """Write nothing: MGF has no header."""
