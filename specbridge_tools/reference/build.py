"""Spectra with structures -> a reference file, streamed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.encoders.base import MoleculeEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.molecules.adducts import adducts_of
from specbridge_tools.molecules.identity import structure
from specbridge_tools.molecules.molecule import StandardForm
from specbridge_tools.molecules.raw import one_line
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import Part
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.reference.layout import ReferenceSpace
from specbridge_tools.reference.molecules import FINGERPRINT, reads_counts, unit_norm
from specbridge_tools.reference.peaks import CleanSpectrum, clean
from specbridge_tools.reference.texts import REPEATED, text_of
from specbridge_tools.reference.writer import BLOCK, ReferenceWriter, create_reference, text_columns
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.energy import collision_energy_ev
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import Destination, Source, display_name, output_path

UNFITTING = "structure does not fit the precursor m/z"
REPEATED_ACCESSION = "accession repeated"
DEFAULT_PPM = 20.0


def build_reference(
    sources: Sequence[Source],
    destination: Destination,
    *,
    encoder: MoleculeEncoder | str = "default",
    tally: Tally | None = None,
    reading: Reading = DEFAULT_READING,
    tolerance_ppm: float = DEFAULT_PPM,
    record_range: RecordRange | None = None,
    part: Part | None = None,
    force: bool = False,
    display: SilentProgress | None = None,
) -> int:
    """Write the reference of spectra with structures.

    Args:
        sources: Files of spectra.
        destination: The reference.
        encoder: Molecular encoder that it belongs to, or its name.
        tally: Counts the spectra: rejected are those without a structure, those whose precursor m/z is not that of
            their structure as their adduct, and those that repeat an accession.
        reading: How the spectra are read; a precursor m/z that is missing follows from adduct and structure.
        tolerance_ppm: How far a precursor m/z may be from that of its structure.
        record_range: Which of the records to take, counted through all sources; None for all.
        part: Which part of a whole the file then is; None for a whole.
        force: Whether to replace an existing file.
        display: Shows progress in records.

    Returns:
        How many molecules they are of.

    Raises:
        DataError: Where a file cannot be read.
        NoneUsableError: Where no spectrum can be used, unless the tally allows that.
    """
    made: MoleculeEncoder = MOLECULE_ENCODERS.create(encoder) if isinstance(encoder, str) else encoder
    tally, display = tally or Tally(noun="spectra"), display or SilentProgress()
    reading = dataclasses.replace(reading, derive_precursor=True)
    with (
        output_path(destination, force=force) as temporary,
        create_reference(temporary, ReferenceSpace.of(made), part=part) as writer,
    ):
        block = _Block(writer, made)
        for record, name in _records(sources, reading, record_range):
            display.advance()
            usable = record if isinstance(record, Rejection) else _fitting(record, tolerance_ppm)
            if not isinstance(usable, Rejection) and not block.is_new(usable[0].id):
                usable = _rejected(usable[0], REPEATED_ACCESSION)
            if isinstance(usable, Rejection):
                usable = dataclasses.replace(usable, source=name)
            if tally.count(usable) and not isinstance(usable, Rejection):
                block.add(*usable)
        block.finish()
        tally.n_written = writer.n
        tally.require_usable(", ".join(map(display_name, sources)))
        return writer.n_molecules


def _records(
    sources: Sequence[Source], reading: Reading, record_range: RecordRange | None
) -> Iterator[tuple[Spectrum | Rejection, str]]:
    """Yield the records of all sources, counted through, each with the name of its source."""
    for source in sources:
        if record_range is not None and record_range.is_passed:
            return
        for record in read_spectra(source, reading=reading, record_range=record_range):
            yield record, display_name(source)


def _fitting(spectrum: Spectrum, tolerance_ppm: float) -> tuple[Spectrum, StandardForm] | Rejection:
    """A spectrum and its structure, or why it is no reference."""
    form = structure(spectrum)
    if form is None:
        return _rejected(spectrum, NO_STRUCTURE)
    expected = [adduct.precursor_mz(form.exact_mass) for adduct in adducts_of(spectrum)]
    nearest = min(expected, key=lambda mz: abs(mz - spectrum.precursor_mz))
    if abs(nearest - spectrum.precursor_mz) > tolerance_ppm * 1e-6 * nearest:
        return _rejected(spectrum, UNFITTING, f"{spectrum.precursor_mz:.4f}, expected {nearest:.4f}")
    return spectrum, form


def _rejected(spectrum: Spectrum, reason: str, detail: str = "") -> Rejection:
    return Rejection(reason, spectrum.id, spectrum.record, spectrum.line, detail=detail)


class _Block:
    """Spectra that are to be written, and the molecules that are new with them."""

    def __init__(self, writer: ReferenceWriter, encoder: MoleculeEncoder) -> None:
        self._writer, self._encoder = writer, encoder
        self._accessions: set[str] = set()
        self._row_of: dict[str, int] = {}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in REPEATED}
        self._clear()

    def _clear(self) -> None:
        self._spectra: list[tuple[Spectrum, CleanSpectrum, int]] = []
        self._new: list[tuple[StandardForm, str]] = []

    def is_new(self, accession: str) -> bool:
        """Whether no spectrum so far has this accession."""
        return one_line(accession) not in self._accessions

    def add(self, spectrum: Spectrum, form: StandardForm) -> None:
        self._accessions.add(one_line(spectrum.id))
        row = self._row_of.setdefault(form.inchikey14, len(self._row_of))
        if row == self._writer.n_molecules + len(self._new):
            self._new.append((form, text_of(spectrum, "name")))
        self._spectra.append((spectrum, clean(spectrum), row))
        if len(self._spectra) == BLOCK:
            self._write()

    def finish(self) -> None:
        if self._spectra:
            self._write()
        self._writer.finish({name: list(codes) for name, codes in self._codes.items()})

    def _write(self) -> None:
        cleaned = [each for _, each, _ in self._spectra]
        spectra = [spectrum for spectrum, _, _ in self._spectra]
        columns: dict[str, NDArray[Any]] = {
            "molecule": np.array([row for *_, row in self._spectra], np.int32),
            "precursor": np.array([each.precursor for each in cleaned], np.int32),
            "polarity": np.array([each.polarity for each in cleaned], np.int8),
            "charge": np.array([each.charge for each in cleaned], np.int8),
            "energy": np.array([_energy(spectrum) for spectrum in spectra], np.float32),
            "n_peaks": np.array([len(each.mz) for each in cleaned], np.uint16),
            "mz": np.concatenate([each.mz for each in cleaned]),
            "intensity": np.concatenate([each.intensity for each in cleaned]),
            **text_columns("accession", "accession_size", [one_line(spectrum.id) for spectrum in spectra]),
        }
        for name, codes in self._codes.items():
            values = [text_of(spectrum, name) for spectrum in spectra]
            columns[name] = np.array([codes.setdefault(value, len(codes)) for value in values], np.uint32)
        self._writer.append(columns | self._molecules())
        self._clear()

    def _molecules(self) -> dict[str, NDArray[Any]]:
        from specbridge_tools.molecules.chemistry import morgan_counts

        forms, (radius, bits) = [form for form, _ in self._new], FINGERPRINT
        smiles = [form.smiles for form in forms]
        counts = morgan_counts(smiles, radius=radius, bits=bits, counts=True)
        columns: dict[str, NDArray[Any]] = {
            "inchikey14": np.array([form.inchikey14 for form in forms], "S14"),
            "n_bits": np.diff(counts.indptr).astype(np.uint16),
            "bit": counts.indices.astype(np.uint16),
            "count": np.minimum(counts.data, 65_535).astype(np.uint16),
            **text_columns("smiles", "smiles_size", smiles),
            **text_columns("formula", "formula_size", [form.formula for form in forms]),
            **text_columns("name", "name_size", [name for _, name in self._new]),
        }
        if forms and not reads_counts(self._encoder):
            columns["embedding"] = unit_norm(self._encoder.encode(smiles)).astype(np.float16)
        return columns


def _energy(spectrum: Spectrum) -> float:
    energy = collision_energy_ev(spectrum)
    return np.nan if energy is None else energy
