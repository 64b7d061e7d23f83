"""Spectra, or their embeddings, as queries, in the order of the file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.space import Space, SpectrumModel, require_same
from specbridge_tools.embeddings.spectra import holds_embeddings, open_spectrum_embeddings
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.molecules.adducts import adducts_of
from specbridge_tools.molecules.formula import plain_formula
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.candidates.list_file import LIST_FIELD
from specbridge_tools.search.candidates.query import Query
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE, Tolerance
from specbridge_tools.search.index.exact_scores import has_unit_norm, on_grid
from specbridge_tools.search.queries.groups import Groups, Pair, Vector
from specbridge_tools.search.queries.source import QuerySource, usi_of_record
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.assumed import with_assumed
from specbridge_tools.spectra.reader import count_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import open_input

if TYPE_CHECKING:
    from specbridge_tools.search.index.reader import Index
    from specbridge_tools.search.multi_index import MultiIndex

DEFAULT_FORMULA_FIELD = "formula"
# Batches of the encoder that are read at once, so that it can put spectra of like length together.
_BATCHES = 8


class QueryReader:
    """Reads queries for an index.

    Args:
        index: to be searched; the vectors must live in its space.
        tally: counts every record, used or not.
        model: encodes spectra; not needed for embeddings.
        formula_field: field of the metadata that holds the formula, or None where it is not needed.
        group_field: field whose value names the group of spectra to answer together, or None.
        tolerance: of the precursors of a group.
        batch_size: of the encoder.
        keep_spectra: whether queries hold their spectra; those of a group wait until it is complete.
        record_range: the records to read, None for all.
    """

    def __init__(
        self,
        index: Index | MultiIndex,
        *,
        tally: Tally,
        model: SpectrumModel | None = None,
        formula_field: str | None = None,
        group_field: str | None = None,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
        batch_size: int = 64,
        keep_spectra: bool = False,
        record_range: RecordRange | None = None,
    ) -> None:
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
        self._reading = DEFAULT_READING

    def read(self, source: QuerySource) -> Iterator[list[Query]]:
        """Yield lists of queries from a source; with groups it must be one that can be reread."""
        self._name, self._reading = source.name, source.reading
        if source.holds_embeddings:
            with source.embeddings_path() as path:
                yield from self._queries(self._from_embeddings(path))
        else:
            groups = self._groups(source, self._group_field) if self._group_field else None
            yield from self._queries(self._from_spectra(source), groups)

    def _groups(self, source: QuerySource, field: str) -> Groups:
        """The `Groups` of a source that can be reread."""

        def value_of(spectrum: Spectrum) -> str:
            is_usable = not isinstance(self._checked(spectrum), Rejection)
            return spectrum.metadata.get(field, "") if is_usable else ""

        return Groups(
            field,
            source.count_values(value_of),
            tolerance=self._tolerance,
            same=[LIST_FIELD, *([self._formula_field] if self._formula_field else [])],
            tally=self._tally,
            source=self._name,
            keep=self._keep,
        )

    def _queries(self, chunks: Iterable[Sequence[Pair]], groups: Groups | None = None) -> Iterator[list[Query]]:
        """Turn chunks of records into queries; counts the records."""
        for pairs in chunks:
            if groups is not None:
                yield [self._query(*member) for member in groups.add(pairs)]
                continue
            for record, _ in pairs:
                self._tally.count(record)
            yield [self._query(record, vector, self._kept(record)) for record, vector in pairs]

    def _kept(self, record: Spectrum | Rejection) -> tuple[Spectrum, ...]:
        return (record,) if self._keep and not isinstance(record, Rejection) else ()

    def _from_spectra(self, source: QuerySource) -> Iterator[list[Pair]]:
        if self._model is None:
            raise UsageError("spectra need a model", advice="give --model, or spectrum embeddings")
        name = self._model.name
        advice = f"build the index with --model {name}, or search with the model it was built for"
        require_same(self._index.space, self._index.name, Space.of_model(self._model), f"model {name}", advice=advice)
        records = source.records(record_range=self._record_range)
        while chunk := list(itertools.islice(records, self._batch_size * _BATCHES)):
            yield self._encoded(self._model, [self._checked(record) for record in chunk])

    def _encoded(self, model: SpectrumModel, records: Sequence[Spectrum | Rejection]) -> list[Pair]:
        """Records and their vectors, the usable ones encoded together."""
        spectra = [record for record in records if not isinstance(record, Rejection)]
        vectors = iter(model.encode(spectra, batch_size=self._batch_size) if spectra else ())
        return [(record, None if isinstance(record, Rejection) else next(vectors)) for record in records]

    def _from_embeddings(self, path: Path) -> Iterator[list[Pair]]:
        if self._group_field or self._formula_field not in (None, DEFAULT_FORMULA_FIELD):
            advice = f"give the spectra: their field {self._group_field or self._formula_field} is needed"
            raise UsageError("spectrum embeddings have no field but formula", where=self._name, advice=advice)
        with open_spectrum_embeddings(path) as embeddings:
            advice = "embed the spectra with the model that the index was built for"
            space = Space.of_embeddings(embeddings)
            require_same(self._index.space, self._index.name, space, self._name, advice=advice)
            if self._model is not None and embeddings.model_sha256 != self._model.weights_sha256:
                message = f"{self._name} was made with model {embeddings.model}, not with {self._model.name}"
                raise MismatchError(message, advice="embed the spectra with this model, or leave --model out")
            for block in embeddings.blocks(self._batch_size * _BATCHES, record_range=self._record_range):
                yield [
                    (self._checked(with_assumed(record, self._reading, self._name)), vector) for record, vector in block
                ]

    def _checked(self, record: Spectrum | Rejection) -> Spectrum | Rejection:
        """The record itself, or a `Rejection` where this kind of search cannot use it."""
        if self._formula_field is None or isinstance(record, Rejection):
            return record
        return _without_formula(record, self._formula_field, self._name) or record

    def _query(self, record: Spectrum | Rejection, vector: Vector | None, spectra: tuple[Spectrum, ...]) -> Query:
        name = record.id or f"record={record.record}"
        if isinstance(record, Rejection) or vector is None:
            return Query(name, record.record, getattr(record, "reason", ""), usi=usi_of_record(record))
        return Query(
            name,
            record.record,
            precursor_mz=record.precursor_mz,
            adducts=adducts_of(record),
            formula=plain_formula(record.metadata[self._formula_field]) if self._formula_field else "",
            list_id=record.metadata.get(LIST_FIELD, ""),
            vector=self._on_grid(vector[None], name),
            spectra=spectra,
            repaired=record.repaired,
            usi=record.usi,
            isotopes=record.isotopes,
        )

    def _on_grid(self, vectors: Vector, name: str) -> NDArray[np.float64]:
        """The vector (d,) of (1, d), as the index is searched with it."""
        # not normalised again: float16 embeddings and their spectra would get different last bits
        if not has_unit_norm(vectors)[0]:
            raise DataError(f"the vector of {name} has no unit norm", advice="the model or the embeddings are broken")
        return on_grid(vectors.astype(np.float64), self._index.dtype)[0].astype(np.float64)


def _without_formula(record: Spectrum, field: str, source: str) -> Rejection | None:
    """A `Rejection` of a record whose formula is missing or cannot be read, else None."""
    text = record.metadata.get(field, "")
    try:
        reason = "" if text and plain_formula(text) else "no formula"
        detail = f"no {field}"
    except DataError as error:
        reason, detail = "unreadable formula", error.message
    return Rejection(reason, record.id, record.record, record.line, source, detail) if reason else None


def count_queries(source: str | os.PathLike[str], *, reading: Reading = DEFAULT_READING) -> int:
    """How many records a file of spectra or spectrum embeddings has, as a `shards.RecordRange` counts them."""
    with open_input(source) as stream:
        if not holds_embeddings(stream):
            return count_spectra(stream, reading=reading)
    with open_spectrum_embeddings(source) as embeddings:
        return len(embeddings)
