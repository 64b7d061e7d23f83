"""The arrays of mzMLb, which stand in datasets of their own beside the XML."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.hdf5_file import Dataset, Hdf5File
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.mzml_params import Parameters
from specbridge_tools.spectra.numpress import LINEAR

DATASET = "MS:1002841"
_OFFSET = "MS:1002842"
_LENGTH = "MS:1002843"
_READ_AHEAD = 1 << 18  # values: spectra follow each other in a dataset


class ExternalArrays:
    """Reads stretches of the datasets of an open file."""

    def __init__(self, file: Hdf5File) -> None:
        self._file = file
        self._held: dict[str, tuple[int, NDArray[Any]]] = {}

    def read(self, parameters: Parameters, length: int) -> NDArray[Any]:
        """The values that an array's parameters name, (n,), of the type of their dataset.

        Args:
            parameters: Of the array.
            length: How many numbers it has; bytes of MS-Numpress may be more.

        Raises:
            Unusable: There is no such dataset, or it has no such values.
            FormatError: The file is damaged.
        """
        name = parameters.value(DATASET) or ""
        start, n = (_whole_number(parameters.value(accession)) for accession in (_OFFSET, _LENGTH))
        if n > LINEAR.most_bytes(length):
            raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"{n} values in dataset {name}, expected {length}")
        dataset = self._file.datasets.get(name)
        if dataset is None or len(dataset.shape) != 1 or dataset.dtype.kind not in "fiu":
            raise Unusable(reasons.ARRAY_NOT_DECODED, f"no dataset {name[:80]!r} of numbers")
        if start + n > len(dataset):
            detail = f"values {start} to {start + n} of {len(dataset)} in dataset {name}"
            raise Unusable(reasons.ARRAY_NOT_DECODED, detail)
        return self._stretch(dataset, start, start + n)

    def _stretch(self, dataset: Dataset, start: int, stop: int) -> NDArray[Any]:
        low, values = self._held.get(dataset.name, (0, np.empty(0, dataset.dtype)))
        if not low <= start <= stop <= low + len(values):
            low, values = start, dataset[start : max(stop, start + _READ_AHEAD)]
            self._held = {**self._held, dataset.name: (low, values)} if len(self._held) < 8 else {}
        return values[start - low : stop - low]


def _whole_number(text: str | None) -> int:
    text = text or ""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Unusable(reasons.ARRAY_NOT_DECODED, f"offset or length {text[:40]!r}")
    return int(text)
