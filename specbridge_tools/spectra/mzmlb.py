"""mzMLb: mzML in an HDF5 file (Bhamber et al., J. Proteome Res. 2021, 20, 172; doi 10.1021/acs.jproteome.0c00192).

Not through the reader of pyteomics: it opens what any HDF5 file points to, needs a vocabulary from the network, and its
XML parser resolves entities. Its functions undo the predictions of arrays.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from specbridge_tools.errors import FormatError
from specbridge_tools.hdf5_file import Dataset, Hdf5File, open_hdf5
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.mzml import read_mzml
from specbridge_tools.spectra.mzmlb_arrays import ExternalArrays
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.sniff import EXPECTED
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.spectra.text import ByteStream
from specbridge_tools.streams import copy_to_own
from specbridge_tools.temporary import scratch_path

MZML = "mzML"
"""The dataset of the XML."""
_ADVICE = "convert it with msconvert --mzML"


def read_mzmlb(
    stream: ByteStream,
    source: str,
    reading: Reading,
    skipped: collections.Counter[str],
    record_range: RecordRange | None = None,
) -> Iterator[Spectrum | Rejection]:
    """Yield what `read_mzml` yields for the XML; the file is first copied, since HDF5 goes back and forth in it.

    The arguments are those of `read_mzml`.

    Raises:
        DataError: The XML is broken or cut off.
        FormatError: It is no mzMLb, or holds what `hdf5_file` refuses.
    """
    with scratch_path() as copy:
        copy_to_own(cast("BinaryIO", stream), copy)
        with _opened(copy, source) as file:
            xml = _Xml(file.datasets[MZML])
            yield from read_mzml(xml, source, reading, skipped, record_range, external=ExternalArrays(file))


def _opened(path: Path, source: str) -> Hdf5File:
    try:
        file = open_hdf5(path, source, expected="mzMLb")
    except FormatError as error:
        error.advice = _ADVICE
        raise
    dataset = file.datasets.get(MZML)
    if dataset is None or len(dataset.shape) != 1 or dataset.is_text or dataset.dtype.itemsize != 1:
        file.close()
        raise FormatError(f"is an HDF5 file, but not mzMLb: it has no dataset {MZML}", where=source, advice=EXPECTED)
    return file


class _Xml:
    """The bytes of a dataset as a file."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._at = 0

    def read(self, size: int, /) -> bytes:
        block = self._dataset[self._at : self._at + size].tobytes()
        self._at += len(block)
        return block.rstrip(b"\0") if self._at == len(self._dataset) else block
