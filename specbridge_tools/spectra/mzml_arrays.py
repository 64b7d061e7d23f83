"""The binary arrays of an mzML spectrum."""

import base64
import binascii
import zlib

import numpy as np

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.mzml_params import Parameters

_MZ = "MS:1000514"
_INTENSITY = "MS:1000515"
_TYPES = {"MS:1000521": "<f4", "MS:1000523": "<f8", "MS:1000519": "<i4", "MS:1000522": "<i8"}
_ZLIB = "MS:1000574"
_NOT_COMPRESSED = "MS:1000576"


def read_arrays(spectrum, groups):
    """A spectrum element -> m/z and intensity, (n,) float64 each; raises `Unusable`."""
    arrays = {}
    for element in spectrum.iterfind("{*}binaryDataArrayList/{*}binaryDataArray"):
        parameters = Parameters(element, groups)
        for kind in (_MZ, _INTENSITY):
            if kind in parameters:
                if kind in arrays:
                    raise Unusable(reasons.UNEQUAL_ARRAYS, "more than one array of a kind")
                arrays[kind] = _decoded(element, parameters, spectrum.get("defaultArrayLength"))
    if not arrays:
        raise Unusable(reasons.NO_PEAKS, "no arrays")
    if len(arrays) == 1:
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"no {'intensity' if _MZ in arrays else 'm/z'} array")
    return arrays[_MZ], arrays[_INTENSITY]


def _decoded(element, parameters, default_length):
    length = element.get("arrayLength") or default_length or ""
    if not length.isascii() or not length.isdigit() or len(length) > 9:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"array length {length!r}")
    length = int(length)
    dtype = next((dtype for accession, dtype in _TYPES.items() if accession in parameters), None)
    if dtype is None or (_ZLIB not in parameters and _NOT_COMPRESSED not in parameters):
        raise Unusable(reasons.ARRAY_NOT_DECODED, f"{parameters.names()}; convert it with zlib or no compression")
    size = length * np.dtype(dtype).itemsize
    try:
        data = base64.b64decode("".join((element.findtext("{*}binary") or "").split()), validate=True)
        if _ZLIB in parameters and data:
            # no more than was promised, and one byte, to see that there is more
            data = zlib.decompressobj().decompress(data, size + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise Unusable(reasons.ARRAY_NOT_DECODED, str(error)) from None
    if len(data) != size:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"{size} bytes promised, {len(data)} there are")
    return np.frombuffer(data, dtype=dtype).astype(np.float64)
