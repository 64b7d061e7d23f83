"""Spectra, or their embeddings, as queries: what the search needs to know of each record, in the order of the file."""

import contextlib
import dataclasses
import io
import itertools
import os
import shutil
import tempfile

import numpy as np

from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.molecules.adducts import Adduct, adducts_of
from specbridge_tools.records import Rejection
from specbridge_tools.search.arithmetic import has_unit_norm, on_grid
from specbridge_tools.search.candidates import plain_formula
from specbridge_tools.search.space import Space, require_same
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.streams import display_name, open_input

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
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
    formula       as `candidates.plain_formula` writes it; '' outside of formula mode
    vector        (d,) float64, unit norm, on the grid of `search.arithmetic`
    """

    id: str
    record: int
    reason: str = ""
    precursor_mz: float = 0.0
    adducts: tuple[Adduct, ...] = ()
    formula: str = ""
    vector: np.ndarray | None = None


def holds_embeddings(stream):
    """Whether a stream with `peek`, at its start, is HDF5 and so no file of spectra."""
    return stream.peek(len(_HDF5_SIGNATURE))[: len(_HDF5_SIGNATURE)] == _HDF5_SIGNATURE


class QueryReader:
    """Reads queries for an index; `tally` counts every record, used or not.

    formula_field  field of the metadata that holds the formula, or None where it is not needed
    """

    def __init__(self, index, *, tally, model=None, formula_field=None, input_format="auto", batch_size=64):
        self._index = index
        self._tally = tally
        self._model = model
        self._formula_field = formula_field
        self._input_format = input_format
        self._batch_size = batch_size
        self._name = ""

    def read(self, source):
        """Yield lists of `Query` from a path, `-` or binary file: spectra or their embeddings, told by the content."""
        self._name = display_name(source)
        with open_input(source) as stream:
            if not holds_embeddings(stream):
                yield from self._from_spectra(stream)
                return
            with _on_disk(stream) as path:
                yield from self._from_embeddings(path)

    def _from_spectra(self, stream):
        if self._model is None:
            raise UsageError("spectra need a model", advice="give --model, or spectrum embeddings")
        name = self._model.name
        advice = f"build the index with --model {name}, or search with the model it was built for"
        require_same(self._index.space, self._index.name, Space.of_model(self._model), f"model {name}", advice=advice)
        records = iter(read_spectra(stream, input_format=self._input_format))
        while chunk := list(itertools.islice(records, self._batch_size * _BATCHES)):
            yield self._encoded(chunk)

    def _encoded(self, chunk):
        """Records -> queries, the usable ones encoded together."""
        records = [self._usable(record) for record in chunk]
        spectra = [record for record in records if not isinstance(record, Rejection)]
        vectors = iter(())
        if spectra:
            vectors = iter(self._model.encode(spectra, batch_size=self._batch_size))
        return [self._query(record, vectors) for record in records]

    def _from_embeddings(self, path):
        if self._formula_field not in (None, DEFAULT_FORMULA_FIELD):
            advice = "give the spectra, or leave --formula-column out"
            raise UsageError("spectrum embeddings hold no field but formula", where=self._name, advice=advice)
        with open_spectrum_embeddings(path) as embeddings:
            advice = "embed the spectra with the model that the index was built for"
            require_same(
                self._index.space, self._index.name, Space.of_embeddings(embeddings), self._name, advice=advice
            )
            if self._model is not None and embeddings.model_sha256 != self._model.weights_sha256:
                message = f"{self._name} was made with model {embeddings.model}, not with {self._model.name}"
                raise MismatchError(message, advice="embed the spectra with this model, or leave --model out")
            for block in embeddings.blocks(self._batch_size * _BATCHES):
                yield [self._query(self._usable(record), iter([vector])) for record, vector in block]

    def _usable(self, record):
        """The record itself, or a `Rejection` where this kind of search cannot use it; counted."""
        if self._formula_field is not None and not isinstance(record, Rejection):
            record = _without_formula(record, self._formula_field, self._name) or record
        self._tally.count(record)
        return record

    def _query(self, record, vectors):
        name = record.id or f"record={record.record}"
        if isinstance(record, Rejection):
            return Query(name, record.record, record.reason)
        return Query(
            name,
            record.record,
            precursor_mz=record.precursor_mz,
            adducts=adducts_of(record),
            formula=plain_formula(record.metadata[self._formula_field]) if self._formula_field else "",
            vector=self._vector(next(vectors)[None], name),
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


@contextlib.contextmanager
def _on_disk(stream):
    """Yield the path of a stream's file, or of a temporary copy of a pipe: HDF5 must be able to go back and forth."""
    if isinstance(getattr(stream, "raw", None), io.FileIO) and os.path.isfile(stream.name):
        yield stream.name
        return
    with tempfile.NamedTemporaryFile(prefix="specbridge-", suffix=".tmp") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        yield copy.name
