"""Writing reference files, block by block: the same records give the same bytes, however they come."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from specbridge_tools.embeddings.columns import Sink
from specbridge_tools.provenance import CREATED_BY, Part
from specbridge_tools.reference.layout import COLUMNS, FORMAT, FORMAT_VERSION, MOLECULE_TEXTS, ReferenceSpace
from specbridge_tools.reference.molecules import MoleculeTable
from specbridge_tools.reference.spectra import SpectrumTable
from specbridge_tools.reference.texts import REPEATED, SpectrumTexts

BLOCK = 4096
"""Spectra that are written at once."""
_CHUNK_BYTES = 1 << 18
_OF_SPECTRA = ("molecule", "precursor", "polarity", "charge", "energy")


class ReferenceWriter:
    """Appends blocks of rows to the datasets of a new file.

    Attributes:
        n: Spectra so far.
        n_molecules: Molecules so far.
    """

    def __init__(self, file: h5py.File, sink: Sink, dimension: int) -> None:
        self.n = self.n_molecules = 0
        self._file, self._sink = file, sink
        for name, dtype in COLUMNS.items():
            _create(file, name, np.dtype(dtype), ())
        _create(file, "embedding", np.dtype("<f2"), (dimension,))

    def append(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Write rows behind those of the named datasets.

        Raises:
            OSError: If the disk is full.
        """
        for name in (*COLUMNS, "embedding"):  # always in one order: it decides where their bytes lie
            values = columns.get(name, ())
            if len(values):
                dataset = self._file[name]
                start = dataset.shape[0]
                dataset.resize(start + len(values), axis=0)
                dataset[start:] = values
        self._sink.check()
        self.n += len(columns.get("molecule", ()))
        self.n_molecules += len(columns.get("inchikey14", ()))

    def finish(self, lists: Mapping[str, list[str]]) -> None:
        """Write the lists of `texts.REPEATED`, and how many rows there are."""
        for name in REPEATED:
            self.append(text_columns(f"{name}_list", f"{name}_list_size", lists[name]))
        self._file.attrs.update({"n": self.n, "n_molecules": self.n_molecules})


@contextlib.contextmanager
def create_reference(
    path: str | os.PathLike[str], space: ReferenceSpace, *, part: Part | None = None
) -> Iterator[ReferenceWriter]:
    """Yield the writer of a new file, whose `finish` must be called.

    Args:
        path: Of the new file.
        space: Of its encoder.
        part: Which part of a whole the file is; None for a whole.
    """
    with open(path, "w+b", buffering=0) as raw:
        sink = Sink(raw)
        try:
            with h5py.File(sink, "w") as file:
                file.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "created_by": CREATED_BY})
                file.attrs.update({"encoder": space.encoder, "weights_sha256": space.weights_sha256})
                file.attrs.update({"dimension": space.dimension, **({} if part is None else {"part": str(part)})})
                yield ReferenceWriter(file, sink, space.dimension)
        finally:
            # raised in place of what HDF5 says of lost writes: this is their cause
            sink.check()


def write_reference(
    path: str | os.PathLike[str],
    spectra: SpectrumTable,
    texts: SpectrumTexts,
    molecules: MoleculeTable,
    space: ReferenceSpace,
) -> None:
    """Write what is in memory: the bytes are those of a file that was built of the same records."""
    with create_reference(path, space) as writer:
        n_molecules = 0
        for low in range(0, len(spectra), BLOCK):
            high = min(low + BLOCK, len(spectra))
            peaks = slice(spectra.starts[low], spectra.starts[high])
            new = slice(n_molecules, int(spectra.molecule[:high].max()) + 1)
            writer.append(
                {
                    **{
                        name: getattr(spectra, name)[low:high]
                        for name in ("molecule", "precursor", "polarity", "charge")
                    },
                    "energy": spectra.energy[low:high],
                    "n_peaks": np.diff(spectra.starts[low : high + 1]).astype(np.uint16),
                    "mz": spectra.mz[peaks],
                    "intensity": spectra.intensity[peaks],
                    **text_columns("accession", "accession_size", texts.accession[low:high]),
                    **{name: texts.codes[name][low:high] for name in REPEATED},
                    **_molecule_columns(molecules, new),
                }
            )
            n_molecules = new.stop
        writer.finish({name: list(texts.lists[name]) for name in REPEATED})


def text_columns(name: str, sizes: str, texts: Any) -> dict[str, NDArray[Any]]:
    """Texts as the two datasets that hold them."""
    encoded = [text.encode() for text in texts]
    return {
        name: np.frombuffer(b"".join(encoded), np.uint8),
        sizes: np.array([len(text) for text in encoded], np.uint32),
    }


def _molecule_columns(molecules: MoleculeTable, rows: slice) -> dict[str, NDArray[Any]]:
    counts = molecules.counts[rows]
    columns = {
        "inchikey14": np.array(molecules.inchikey14[rows], "S14"),
        "n_bits": np.diff(counts.indptr).astype(np.uint16),
        "bit": counts.indices.astype(np.uint16),
        "count": counts.data.astype(np.uint16),
        "embedding": molecules.embedding[rows],
    }
    for name, sizes in MOLECULE_TEXTS.items():
        columns |= text_columns(name, sizes, getattr(molecules, name)[rows])
    return columns


def _create(file: h5py.File, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    rows = max(1, _CHUNK_BYTES // (dtype.itemsize * max(1, int(np.prod(shape)))))
    file.create_dataset(
        name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(rows, *shape), compression="gzip", shuffle=True
    )
