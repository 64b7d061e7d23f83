"""Spectrum embeddings on disk.

HDF5; row i of every dataset is record i of the spectra, rejected ones too, in their order. A dataset is

    embedding     (n, d) float16 or float32   vectors of the model, unit norm, or of a spectral encoder alone, as they
                                              are; zeros for a rejected record
    id            (n,) text                   as in the spectra, else `record=N`
    precursor_mz  (n,) float64                m/z; 0 for a rejected record
    adduct        (n,) text                   canonical name, '' where the spectrum names none
    charge        (n,) int32                  signed, 0 when unknown
    polarity      (n,) int8                   +1, -1, 0 when unknown
    formula       (n,) text                   as in the metadata, '' for none
    record, line  (n,) int64                  where it stands in the spectra, 1-based; line 0 where there are no lines
    reason        (n,) text                   why a record was rejected, '' for a spectrum

Root attributes: format = "specbridge-spectra", format_version = 1, created_by, n; model and model_sha256 (of its file);
encoder and weights_sha256 of the molecular encoder that the model points to, molecule_head_sha256 of the model's
molecule head ('' for none), dimension: the space of the vectors, as an index names it. Plain vectors name the spectral
encoder and its weights in all of these.
"""

from __future__ import annotations

import contextlib
import io
import os
import types
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.content import HDF5_SIGNATURE
from specbridge_tools.embeddings.column_file import ColumnFile, open_columns
from specbridge_tools.embeddings.columns import TEXT, VECTOR, ColumnWriter, Layout, create_columns
from specbridge_tools.embeddings.space import SpectrumModel
from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.provenance import Part
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.mzmlb import MZML
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import InputStream

EmbeddedRecord: TypeAlias = "tuple[Spectrum | Rejection, NDArray[np.floating[Any]]]"

LAYOUT = Layout(
    format="specbridge-spectra",
    columns={
        "embedding": VECTOR,
        "id": TEXT,
        "precursor_mz": "<f8",
        "adduct": TEXT,
        "charge": "<i4",
        "polarity": "i1",
        "formula": TEXT,
        "record": "<i8",
        "line": "<i8",
        "reason": TEXT,
    },
    attributes={
        "model": str,
        "model_sha256": str,
        "encoder": str,
        "weights_sha256": str,
        "molecule_head_sha256": str,
        "dimension": int,
    },
    advice="sb-embed-spectra makes spectrum embeddings",
)
_NO_MZ, _NO_INTENSITY = np.zeros(0), np.zeros(0, np.float32)


class SpectrumEmbeddings(ColumnFile):
    """An open file of spectrum embeddings; `len` is the number of records, rejected ones included."""

    @property
    def model(self) -> str:
        return str(self.attributes["model"])

    @property
    def model_sha256(self) -> str:
        """Hash of the model file."""
        return str(self.attributes["model_sha256"])

    @property
    def molecule_head_sha256(self) -> str:
        """Hash of the model's molecule head, '' for none."""
        return str(self.attributes["molecule_head_sha256"])

    def blocks(self, size: int, *, record_range: RecordRange | None = None) -> Iterator[list[EmbeddedRecord]]:
        """Yield lists of up to `size` records with their vectors (d,), in order, of all records or those in a range.

        A record is a `Spectrum` without peaks, whose metadata hold its formula if it has one, or a `Rejection`.
        """
        wanted = record_range or RecordRange()
        for columns in self.read_blocks(size, wanted.low, int(min(wanted.high, len(self)))):
            vectors = columns.pop("embedding")
            names = list(columns)
            rows = zip(*(column.tolist() for column in columns.values()), strict=True)
            records = [_record(**dict(zip(names, row, strict=True))) for row in rows]
            yield list(zip(records, vectors, strict=True))


def _record(
    *,
    id: str,
    precursor_mz: float,
    adduct: str,
    charge: int,
    polarity: int,
    formula: str,
    record: int,
    line: int,
    reason: str,
) -> Spectrum | Rejection:
    if reason:
        return Rejection(reason, id=id, record=record, line=line)
    metadata = types.MappingProxyType({"formula": formula} if formula else {})
    return Spectrum(id, precursor_mz, _NO_MZ, _NO_INTENSITY, charge, polarity, adduct or None, record, line, metadata)


def open_spectrum_embeddings(source: str | os.PathLike[str]) -> SpectrumEmbeddings:
    """Open a file, or stdin for `-`, for reading.

    Raises:
        DataError: If the file cannot be read.
        FormatError: If it is not such a file, of another version, or broken.
    """
    return open_columns(SpectrumEmbeddings, LAYOUT, source)


@contextlib.contextmanager
def create_spectrum_embeddings(
    path: str | os.PathLike[str], *, model: SpectrumModel, dtype: str, part: Part | None = None
) -> Iterator[ColumnWriter]:
    """Yield the writer of a new file for the vectors of `model`; see `create_columns`."""
    attributes = {
        "model": model.name,
        "model_sha256": model.weights_sha256,
        "encoder": model.molecule_encoder,
        "weights_sha256": model.molecule_encoder_sha256,
        "molecule_head_sha256": model.molecule_head_sha256,
        "dimension": model.dimension,
    }
    with create_columns(path, LAYOUT, attributes, dtype=dtype, part=part) as writer:
        yield writer


def is_hdf5(stream: InputStream) -> bool:
    """Whether a stream at its start is HDF5."""
    return stream.peek(len(HDF5_SIGNATURE)).startswith(HDF5_SIGNATURE)


def path_of(stream: InputStream) -> str | None:
    """The path of a stream that is a file as it is on disk, None for a pipe and for what is unzipped."""
    raw = getattr(stream, "raw", None)
    return str(raw.name) if isinstance(raw, io.FileIO) and os.path.isfile(str(raw.name)) else None


def holds_embeddings(stream: InputStream) -> bool:
    """Whether a stream at its start is HDF5, but, if it is a file, not mzMLb: embeddings of spectra, not spectra."""
    if not is_hdf5(stream):
        return False
    if path := path_of(stream):
        with contextlib.suppress(FormatError), open_hdf5(path, path, expected="spectrum embeddings") as file:
            return MZML not in file.datasets
    return True
