"""Spectra, or their embeddings, as queries: what the search needs to know of each record, in the order of the file."""

import dataclasses
import itertools

import numpy as np

from specbridge_tools.embeddings.space import Space, require_same
from specbridge_tools.embeddings.spectra import holds_embeddings, open_spectrum_embeddings
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.molecules.adducts import Adduct, adducts_of
from specbridge_tools.molecules.formula import plain_formula
from specbridge_tools.records import Rejection
from specbridge_tools.search.candidates.list_file import LIST_FIELD
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE
from specbridge_tools.search.index.exact_scores import has_unit_norm, on_grid
from specbridge_tools.search.queries.groups import Groups
from specbridge_tools.spectra.reader import count_spectra
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import open_input

DEFAULT_FORMULA_FIELD = "formula"
# Batches of the encoder that are read at once, so that it can put spectra of like length together.
_BATCHES = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Query:
    """One record to answer.

    id, record    as the hits name it; record is 1-based
    reason        why it cannot be searched; '' when it can, and only then the rest is set
    precursor_mz  m/z
    adducts       the hypotheses to search, at least one
    formula       as `molecules.formula.plain_formula` writes it; '' outside of formula mode
    vector        (d,) float64, unit norm, on the grid of `search.index.exact_scores`
    list_id       the field CANDIDATES of the spectrum, '' for none
    spectra       the spectrum, or all of the group, where the reader keeps them
    """

    id: str
    record: int
    reason: str = ""
    precursor_mz: float = 0.0
    adducts: tuple[Adduct, ...] = ()
    formula: str = ""
    vector: np.ndarray | None = None
    list_id: str = ""
    spectra: tuple[Spectrum, ...] = ()


class QueryReader:
    """Reads queries for an index; `tally` counts every record, used or not.

    formula_field  field of the metadata that holds the formula, or None where it is not needed
    group_field    field whose value names the group of spectra to answer together, or None; `tolerance` is that of
                   their precursors
    keep_spectra   whether queries hold their spectra; those of a group wait until it is whole
    record_range         `shards.RecordRange` of the records to read, None for all
    """

    def __init__(
        self,
        index,
        *,
        tally,
        model=None,
        formula_field=None,
        group_field=None,
        tolerance=DEFAULT_TOLERANCE,
        batch_size=64,
        keep_spectra=False,
        record_range=None,
    ):
        self._index = index
        self._tally = tally
        self._model = model
        self._formula_field = formula_field
        self._group_field = group_field
        self._tolerance = tolerance
        self._batch_size = batch_size
        self._keep = keep_spectra
        self._record_range = record_range
        self._name = ""

    def read(self, source):
        """Yield lists of `Query` from a `QuerySource`; with groups it must be one that can be reread."""
        self._name = source.name
        if source.holds_embeddings:
            with source.embeddings_path() as path:
                yield from self._answerable(self._from_embeddings(path))
        else:
            groups = self._groups(source) if self._group_field else None
            yield from self._answerable(self._from_spectra(source), groups)

    def _groups(self, source):
        """The `Groups` of a source that can be reread."""

        def value(record):
            usable = not isinstance(self._checked(record), Rejection)
            return record.metadata.get(self._group_field, "") if usable else ""

        sizes = source.count_values(value)
        same = [LIST_FIELD, *([self._formula_field] if self._formula_field else [])]
        settings = {"tolerance": self._tolerance, "tally": self._tally, "source": self._name, "keep": self._keep}
        return Groups(self._group_field, sizes, same=same, **settings)

    def _answerable(self, chunks, groups=None):
        """Lists of (record, vector or None) -> lists of `Query`; counts the records."""
        for pairs in chunks:
            if groups is not None:
                yield [self._query(*group) for group in groups.add(pairs)]
                continue
            for record, _ in pairs:
                self._tally.count(record)
            yield [self._query(record, vector, (record,) if self._keep else ()) for record, vector in pairs]

    def _from_spectra(self, source):
        if self._model is None:
            raise UsageError("spectra need a model", advice="give --model, or spectrum embeddings")
        name = self._model.name
        advice = f"build the index with --model {name}, or search with the model it was built for"
        require_same(self._index.space, self._index.name, Space.of_model(self._model), f"model {name}", advice=advice)
        records = source.records(record_range=self._record_range)
        while chunk := list(itertools.islice(records, self._batch_size * _BATCHES)):
            yield self._encoded([self._checked(record) for record in chunk])

    def _encoded(self, records):
        """Records -> (record, vector) pairs, the usable ones encoded together; the others have None."""
        spectra = [record for record in records if not isinstance(record, Rejection)]
        vectors = iter(self._model.encode(spectra, batch_size=self._batch_size) if spectra else ())
        return [(record, None if isinstance(record, Rejection) else next(vectors)) for record in records]

    def _from_embeddings(self, path):
        if self._group_field or self._formula_field not in (None, DEFAULT_FORMULA_FIELD):
            advice = f"give the spectra: their field {self._group_field or self._formula_field} is needed"
            raise UsageError("spectrum embeddings hold no field but formula", where=self._name, advice=advice)
        with open_spectrum_embeddings(path) as embeddings:
            advice = "embed the spectra with the model that the index was built for"
            require_same(
                self._index.space, self._index.name, Space.of_embeddings(embeddings), self._name, advice=advice
            )
            if self._model is not None and embeddings.model_sha256 != self._model.weights_sha256:
                message = f"{self._name} was made with model {embeddings.model}, not with {self._model.name}"
                raise MismatchError(message, advice="embed the spectra with this model, or leave --model out")
            for block in embeddings.blocks(self._batch_size * _BATCHES, record_range=self._record_range):
                yield [(self._checked(record), vector) for record, vector in block]

    def _checked(self, record):
        """The record itself, or a `Rejection` where this kind of search cannot use it."""
        if self._formula_field is None or isinstance(record, Rejection):
            return record
        return _without_formula(record, self._formula_field, self._name) or record

    def _query(self, record, vector, spectra):
        name = record.id or f"record={record.record}"
        if isinstance(record, Rejection):
            return Query(name, record.record, record.reason)
        return Query(
            name,
            record.record,
            precursor_mz=record.precursor_mz,
            adducts=adducts_of(record),
            formula=plain_formula(record.metadata[self._formula_field]) if self._formula_field else "",
            list_id=record.metadata.get(LIST_FIELD, ""),
            vector=self._vector(vector[None], name),
            spectra=spectra,
        )

    def _vector(self, vector, name):
        # not normalised again: float16 embeddings and their spectra would get different last bits
        if not has_unit_norm(vector)[0]:
            raise DataError(f"the vector of {name} has no unit norm", advice="the model or the embeddings are broken")
        return on_grid(vector.astype(np.float64), self._index.dtype)[0].astype(np.float64)


def _without_formula(record, field, source):
    """A `Rejection` of a record whose formula is missing or cannot be read, else None."""
    text = record.metadata.get(field, "")
    try:
        reason = "" if text and plain_formula(text) else "no formula"
        detail = f"no {field}"
    except DataError as error:
        reason, detail = "unreadable formula", error.message
    return Rejection(reason, record.id, record.record, record.line, source, detail) if reason else None


def count_queries(source, *, input_format="auto"):
    """How many records a file of spectra or spectrum embeddings has, as a `shards.RecordRange` counts them."""
    with open_input(source) as stream:
        if not holds_embeddings(stream):
            return count_spectra(stream, input_format=input_format)
    with open_spectrum_embeddings(source) as embeddings:
        return len(embeddings)
