"""A file of spectra -> a file of spectrum embeddings, block by block."""

import itertools

import numpy as np

from specbridge_tools.embeddings.precision import stored
from specbridge_tools.embeddings.spectra import create_spectrum_embeddings
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.streams import output_path

_BATCHES = 16  # so many batches are read at once, for the model to put spectra of like length together


def embed_spectra(
    source,
    destination,
    *,
    model,
    tally,
    dtype="float16",
    input_format="auto",
    batch_size=64,
    record_range=None,
    part=None,
    force=False,
    display=None,
):
    """Encode the spectra of `source` (path, `-` or binary file) with an aligned model into an embeddings file.

    Rejected records keep their row, with the reason and a vector of zeros. `tally` counts the records; its `n_written`
    becomes the number of spectra encoded. `record_range` (`shards.RecordRange`) says which records to take, `part`
    (`provenance.Part`) which part of a whole the file then is.
    """
    display = display or SilentProgress()
    records = iter(read_spectra(source, input_format=input_format, record_range=record_range))
    with (
        output_path(destination, force=force) as temporary,
        create_spectrum_embeddings(temporary, model=model, dtype=dtype, part=part) as writer,
    ):
        while block := list(itertools.islice(records, batch_size * _BATCHES)):
            usable = np.array([tally.count(record) for record in block])
            vectors = np.zeros((len(block), model.dimension), np.float32)
            if usable.any():
                spectra = [record for record in block if not isinstance(record, Rejection)]
                vectors[usable] = model.encode(spectra, batch_size=batch_size)
            writer.append(_columns(block, stored(vectors, dtype, [record.id for record in block])))
            tally.n_written += int(usable.sum())
            display.advance(len(block))


def _columns(block, vectors):
    rows = [_rejected(record) if isinstance(record, Rejection) else _spectrum(record) for record in block]
    names = ("precursor_mz", "adduct", "charge", "polarity", "formula", "reason")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return columns | {
        "embedding": vectors,
        "id": [record.id or f"record={record.record}" for record in block],
        "record": [record.record for record in block],
        "line": [record.line for record in block],
    }


def _rejected(record):
    return 0.0, "", 0, 0, "", record.reason


def _spectrum(spectrum):
    formula = spectrum.metadata.get("formula", "")
    return spectrum.precursor_mz, spectrum.adduct or "", spectrum.charge, spectrum.polarity, formula, ""
