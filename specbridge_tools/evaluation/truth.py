"""What each query really was."""

from __future__ import annotations

import dataclasses

from specbridge_tools.errors import DataError, MismatchError, NoneUsableError
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import NO_STRUCTURE, Rejection, Tally
from specbridge_tools.reference.measured import MeasuredIons
from specbridge_tools.search.candidates.list_file import LIST_FIELD
from specbridge_tools.spectra.fields import canonical_key
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import DERIVED, Spectrum
from specbridge_tools.streams import Source, display_name


@dataclasses.dataclass(frozen=True)
class Truth:
    """The true molecule of one query, and what results are split by.

    Attributes:
        query_id: As the hits have it.
        inchikey14: First block of the InChIKey.
        polarity: +1, -1, or 0 when unknown.
        adduct: Canonical name, '' when unknown.
        precursor_mz: m/z.
        record: 1-based, in the file of the truths; of a group, that of its first spectrum.
        list_id: The field CANDIDATES, '' for none.
        measured: As which ion a reference has the molecule, see `MeasuredIons.kind`; '' where no reference was asked.
        is_derived: Whether the precursor m/z was derived, without which the spectrum could not be searched.
    """

    query_id: str
    inchikey14: str
    polarity: int
    adduct: str
    precursor_mz: float
    record: int = 0
    list_id: str = ""
    is_derived: bool = False
    measured: str = ""


class TruthTable:
    """The truths of a file in its order, to be looked up by query.

    Attributes:
        source: Name of the file.
        truths: Those that can be used.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.truths: list[Truth] = []
        self._entries: dict[str, list[Truth | Rejection]] = {}

    def add(self, truth: Truth | Rejection) -> None:
        """Add a truth, or the rejection of a record that cannot serve as one."""
        if isinstance(truth, Truth):
            self.truths.append(truth)
        self._entries.setdefault(truth.query_id if isinstance(truth, Truth) else truth.id, []).append(truth)

    def first(self, query_id: str) -> Truth | None:
        """The first truth of this id."""
        return next((truth for truth in self._entries.get(query_id, ()) if isinstance(truth, Truth)), None)

    def find(self, query_id: str, record: int = 0) -> Truth | None:
        """The truth of a query, None where it has none that can be used; equal ids are told apart by record.

        Raises:
            MismatchError: For a query that is not in the file.
        """
        entries = self._entries.get(query_id, [])
        if len(entries) > 1:
            entries = [entry for entry in entries if entry.record == record]
        if len(entries) != 1:
            raise MismatchError(
                f"query {query_id} of the hits is not in {self.source}", advice="give the spectra that were searched"
            )
        return entries[0] if isinstance(entries[0], Truth) else None


def read_truths(
    source: Source,
    tally: Tally,
    *,
    reading: Reading = DEFAULT_READING,
    group_by: str | None = None,
    measured: MeasuredIons | None = None,
) -> TruthTable:
    """Read the truths of spectra whose metadata hold a structure (`molecules.identity.structure_key`).

    Args:
        source: Spectra.
        tally: Counts the records; those without a structure are rejected.
        reading: How the spectra are read; a precursor m/z that is missing follows from adduct and structure.
        group_by: Metadata field that names a query where queries are groups of spectra; else it is the spectrum's id.
        measured: Says of which molecules there are reference spectra; None for a search without.

    Raises:
        DataError: Where a group has two molecules, or no record can be used.
    """
    table = TruthTable(display_name(source))
    for record in read_spectra(source, reading=dataclasses.replace(reading, derive_precursor=True)):
        truth = record if isinstance(record, Rejection) else _truth(record, table.source, group_by, measured)
        tally.count(record if isinstance(truth, Truth) else truth)
        first = None if isinstance(truth, Rejection) or group_by is None else table.first(truth.query_id)
        if first is None:
            table.add(truth)
        elif isinstance(truth, Truth):
            _check_group(truth, first, table.source)
    if not table.truths:
        advice = "the metadata must hold smiles, inchi or inchikey"
        raise NoneUsableError("no spectrum with a structure", where=table.source, advice=advice)
    return table


def _truth(spectrum: Spectrum, source: str, group_by: str | None, measured: MeasuredIons | None) -> Truth | Rejection:
    query_id = spectrum.id if group_by is None else spectrum.metadata.get(canonical_key(group_by), "")
    key = structure_key(spectrum)
    if not query_id or key is None:
        reason = NO_STRUCTURE if query_id else f"no {group_by}"
        return Rejection(reason, query_id or spectrum.id, spectrum.record, spectrum.line, source)
    adduct, list_id = spectrum.adduct or "", spectrum.metadata.get(LIST_FIELD, "")
    is_derived = DERIVED in spectrum.notes
    kind = ""
    if measured is not None:
        kind = measured.kind(spectrum.id, key, polarity=spectrum.polarity, precursor_mz=spectrum.precursor_mz)
    return Truth(
        query_id, key, spectrum.polarity, adduct, spectrum.precursor_mz, spectrum.record, list_id, is_derived, kind
    )


def _check_group(truth: Truth, first: Truth, source: str) -> None:
    if truth.inchikey14 != first.inchikey14:
        raise DataError(
            f"group {truth.query_id} holds two molecules, {first.inchikey14} and {truth.inchikey14}",
            where=source,
            record=truth.record,
            advice="the spectra of a group must be of one molecule",
        )
