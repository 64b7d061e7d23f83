"""A file of spectra -> a file of spectrum embeddings, block by block."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.columns import stored_vectors
from specbridge_tools.embeddings.space import SpectrumModel
from specbridge_tools.embeddings.spectra import create_spectrum_embeddings
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import Part
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import Destination, Source, display_name, output_path

_BATCHES = 16  # read at once, so that the model can put spectra of similar length together


def embed_spectra(
    source: Source,
    destination: Destination,
    *,
    model: SpectrumModel,
    tally: Tally,
    dtype: str = "float16",
    reading: Reading = DEFAULT_READING,
    batch_size: int = 64,
    record_range: RecordRange | None = None,
    part: Part | None = None,
    force: bool = False,
    display: SilentProgress | None = None,
) -> None:
    """Encode a file of spectra into an embeddings file.

    Rejected records keep their row, with the reason and a vector of zeros.

    Args:
        source: The spectra.
        destination: The embeddings.
        model: Encodes the spectra.
        tally: Counts the records; its `n_written` becomes the number of spectra encoded.
        dtype: Of the stored vectors, float16 or float32.
        reading: How the spectra are read.
        batch_size: Spectra that the model encodes at once.
        record_range: The records to encode; None for all.
        part: Which part of a whole the file then is; None for a whole.
        force: Whether to replace an existing file.
        display: Shows progress in records.

    Raises:
        DataError: If the spectra cannot be read, a vector is not finite in the dtype, or no record can be used and
            the tally does not allow that.
    """
    display = display or SilentProgress()
    records = iter(read_spectra(source, reading=reading, record_range=record_range))
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
            writer.append(_columns(block, stored_vectors(vectors, dtype, [record.id for record in block])))
            tally.n_written += int(usable.sum())
            display.advance(len(block))
        tally.require_usable(display_name(source))


def _columns(
    block: Sequence[Spectrum | Rejection], vectors: NDArray[np.floating[Any]]
) -> dict[str, list[Any] | NDArray[Any]]:
    rows = [_rejected(record) if isinstance(record, Rejection) else _spectrum(record) for record in block]
    names = ("precursor_mz", "adduct", "charge", "polarity", "formula", "reason")
    columns: dict[str, list[Any] | NDArray[Any]] = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return columns | {
        "embedding": vectors,
        "id": [record.id or f"record={record.record}" for record in block],
        "record": [record.record for record in block],
        "line": [record.line for record in block],
    }


def _rejected(record: Rejection) -> tuple[float, str, int, int, str, str]:
    return 0.0, "", 0, 0, "", record.reason


def _spectrum(spectrum: Spectrum) -> tuple[float, str, int, int, str, str]:
    formula = spectrum.metadata.get("formula", "")
    return spectrum.precursor_mz, spectrum.adduct or "", spectrum.charge, spectrum.polarity, formula, ""
