"""What each query really was."""

import dataclasses

from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.records import Rejection
from specbridge_tools.search.candidates.list_file import LIST_FIELD
from specbridge_tools.spectra.fields import canonical_key
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.streams import display_name


@dataclasses.dataclass(frozen=True)
class Truth:
    """The true molecule of one query, and what results are split by.

    inchikey14 first block of the InChIKey; polarity +1, -1 or 0; adduct '' when unknown; precursor_mz m/z; record
    1-based, in the file of the truths (of a group: its first spectrum); list_id the field CANDIDATES, '' for none.
    """

    query_id: str
    inchikey14: str
    polarity: int
    adduct: str
    precursor_mz: float
    record: int = 0
    list_id: str = ""


class TruthTable:
    """The truths of a file in its order; `find` gives the one that belongs to a query."""

    def __init__(self, source):
        self.source = source
        self.truths = []
        self._entries = {}

    def add(self, truth):
        """Add a `Truth`, or the `Rejection` of a record that cannot serve as one."""
        usable = isinstance(truth, Truth)
        self._entries.setdefault(truth.query_id if usable else truth.id, []).append((truth.record, truth))
        if usable:
            self.truths.append(truth)

    def first(self, query_id):
        """The first truth of this id, or None."""
        return next((t for _, t in self._entries.get(query_id, ()) if isinstance(t, Truth)), None)

    def find(self, query_id, record=0):
        """The truth of a query, None where it has none that can be used; ids that repeat are told apart by record.

        Raises `MismatchError` for a query that is not in the file.
        """
        entries = self._entries.get(query_id, [])
        if len(entries) > 1:
            entries = [entry for entry in entries if entry[0] == record]
        if len(entries) != 1:
            raise MismatchError(
                f"query {query_id} of the hits is not in {self.source}", advice="give the spectra that were searched"
            )
        truth = entries[0][1]
        return truth if isinstance(truth, Truth) else None


def read_truths(source, tally, *, input_format="auto", group_by=None):
    """Read the truths of spectra whose metadata hold a structure (`molecules.identity.structure_key`): a `TruthTable`.

    A query's id is the spectrum's, or the value of its metadata field `group_by` where queries are groups of spectra.
    Records without a structure are counted by `tally` as rejected. Raises `DataError` where a group has two molecules,
    or where no record can be used.
    """
    table = TruthTable(display_name(source))
    for record in read_spectra(source, input_format=input_format):
        truth = record if isinstance(record, Rejection) else _truth(record, table.source, group_by)
        if tally.count(truth) and group_by is not None and (first := table.first(truth.query_id)) is not None:
            _check_group(truth, first, table.source)
        else:
            table.add(truth)
    if not table.truths:
        raise DataError(
            "no spectrum with a structure", where=table.source, advice="smiles, inchi or inchikey must be given"
        )
    return table


def _truth(spectrum, source, group_by):
    query_id = spectrum.id if group_by is None else spectrum.metadata.get(canonical_key(group_by), "")
    key = structure_key(spectrum)
    if not query_id or key is None:
        reason = "no structure" if query_id else f"no {group_by}"
        return Rejection(reason, query_id or spectrum.id, spectrum.record, spectrum.line, source)
    adduct, list_id = spectrum.adduct or "", spectrum.metadata.get(LIST_FIELD, "")
    return Truth(query_id, key, spectrum.polarity, adduct, spectrum.precursor_mz, spectrum.record, list_id)


def _check_group(truth, first, source):
    if truth.inchikey14 != first.inchikey14:
        raise DataError(
            f"group {truth.query_id} holds {first.inchikey14} and {truth.inchikey14}",
            where=source,
            record=truth.record,
            advice="a group must be of one molecule",
        )
