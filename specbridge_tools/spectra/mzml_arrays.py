"""The binary arrays of an mzML spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.mzml_params import Parameters
from specbridge_tools.spectra.mzmlb_arrays import DATASET, ExternalArrays
from specbridge_tools.spectra.numpress import LINEAR, PIC, SLOF, Numpress
from specbridge_tools.spectra.xml_stream import array_length, unpacked, unpacked_some

_MZ = "MS:1000514"
_INTENSITY = "MS:1000515"
_TYPES = {"MS:1000521": "<f4", "MS:1000523": "<f8", "MS:1000519": "<i4", "MS:1000522": "<i8"}
_ZLIB = "MS:1000574"
_NOT_COMPRESSED = "MS:1000576"
_DELTA = "MS:1003089"
_LINEAR = "MS:1003090"
_TRUNCATED = ("MS:1003088", _DELTA, _LINEAR)
"""Rounded, and for the last two predicted; then packed with zlib."""
# accession -> code, whether zlib follows by the term alone
_NUMPRESS = {
    "MS:1002312": (LINEAR, False),
    "MS:1002313": (PIC, False),
    "MS:1002314": (SLOF, False),
    "MS:1002746": (LINEAR, True),
    "MS:1002747": (PIC, True),
    "MS:1002748": (SLOF, True),
}


def read_arrays(
    spectrum: etree._Element,
    groups: Mapping[str | None, Parameters],
    max_peaks: int,
    external: ExternalArrays | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A spectrum element -> m/z and intensity, (n,) each.

    Raises:
        Unusable: An array is missing, comes twice, cannot be decoded or has more than `max_peaks` numbers.
    """
    arrays: dict[str, NDArray[np.float64]] = {}
    for element in spectrum.iterfind("{*}binaryDataArrayList/{*}binaryDataArray"):
        parameters = Parameters(element, groups)
        for kind in (_MZ, _INTENSITY):
            if kind in parameters:
                if kind in arrays:
                    raise Unusable(reasons.UNEQUAL_ARRAYS, "more than one array of a kind")
                length = array_length(element.get("arrayLength") or spectrum.get("defaultArrayLength"), max_peaks)
                arrays[kind] = _decoded(element, parameters, length, external)
    if not arrays:
        raise Unusable(reasons.NO_PEAKS, "no arrays")
    if len(arrays) == 1:
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"no {'intensity' if _MZ in arrays else 'm/z'} array")
    return arrays[_MZ], arrays[_INTENSITY]


def _decoded(
    element: etree._Element, parameters: Parameters, length: int, external: ExternalArrays | None
) -> NDArray[np.float64]:
    values = external.read(parameters, length) if external is not None and DATASET in parameters else None
    text = element.findtext("{*}binary") or ""
    for accession, (code, zlib_follows) in _NUMPRESS.items():
        if accession in parameters:
            # older files name zlib beside it; HDF5 packs by itself
            compressed = zlib_follows or _ZLIB in parameters
            return _numpress(values, code, length) if values is not None else _packed(text, code, compressed, length)
    if values is None:
        values = _plain(text, parameters, length)
    if len(values) != length:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"expected {length} numbers, found {len(values)}")
    return _predicted(values, parameters).astype(np.float64)


def _plain(text: str, parameters: Parameters, length: int) -> NDArray[Any]:
    dtype = next((dtype for accession, dtype in _TYPES.items() if accession in parameters), None)
    compressed = any(accession in parameters for accession in (_ZLIB, *_TRUNCATED))
    if dtype is None or not (compressed or _NOT_COMPRESSED in parameters):
        raise Unusable(reasons.ARRAY_NOT_DECODED, f"{parameters.names()}; convert it with zlib or no compression")
    data = unpacked(text, compressed=compressed, size=length * np.dtype(dtype).itemsize)
    return np.frombuffer(data, dtype=dtype)


def _predicted(values: NDArray[Any], parameters: Parameters) -> NDArray[Any]:
    """The values, where these are distances from what the values before them let expect."""
    if not any(accession in parameters for accession in (_DELTA, _LINEAR)):
        return values
    # it takes long to import
    from pyteomics.mzmlb import delta_predict, linear_predict

    with np.errstate(over="ignore", invalid="ignore"):
        predicted: NDArray[Any] = (delta_predict if _DELTA in parameters else linear_predict)(values)
    return predicted


def _packed(text: str, code: Numpress, compressed: bool, length: int) -> NDArray[np.float64]:
    most = code.most_bytes(length)
    data = unpacked_some(text, compressed=compressed, most=most + 1)
    if len(data) > most:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"more than {most} bytes of MS-Numpress for {length} numbers")
    return _unpressed(data, code, length)


def _numpress(values: NDArray[Any], code: Numpress, length: int) -> NDArray[np.float64]:
    """Of a dataset of bytes."""
    if values.dtype.itemsize != 1:
        raise Unusable(reasons.ARRAY_NOT_DECODED, f"MS-Numpress in a dataset of {values.dtype}")
    return _unpressed(values.tobytes(), code, length)


def _unpressed(data: bytes, code: Numpress, length: int) -> NDArray[np.float64]:
    values = code.decode(data)
    if len(values) != length:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"expected {length} numbers, found {len(values)}")
    return values
