"""MS-Numpress, numbers packed in mzML: Teleman et al., Mol. Cell. Proteomics 2014, 13, 1537, 10.1074/mcp.O114.037879.

Not through pynumpress, with which the tests compare and on which pyteomics builds: on damaged bytes its C++ aborts the
process or reads beyond the end (of 9,000 mutated arrays 3,105 ended by a signal).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable

_FIXED_POINT = 8  # bytes
_LINEAR_HEADER = 16
_NIBBLES = 8  # of an integer


def decode_linear(data: bytes) -> NDArray[np.float64]:
    """Linear prediction, for m/z -> (n,).

    A fixed point, two integers, then for each further value its distance from the line through the two before it.

    Raises:
        Unusable: The bytes end too early, or the fixed point is no positive number.
    """
    if len(data) == _FIXED_POINT:
        return np.zeros(0)
    fixed_point = _fixed_point(data)
    if len(data) < _LINEAR_HEADER and len(data) != _LINEAR_HEADER - 4:
        raise _cut_off(data)
    first = np.frombuffer(data[_FIXED_POINT:_LINEAR_HEADER], "<u4").astype(np.int64)
    steps = _integers(data[_LINEAR_HEADER:]).astype(np.uint32).view(np.int32).astype(np.int64)
    # each value is where the two before it point to, plus a step
    slopes = np.cumsum(np.concatenate([first[1:] - first[:1], steps]))
    with np.errstate(over="ignore"):
        return np.cumsum(np.concatenate([first[:1], slopes])) / fixed_point


def decode_pic(data: bytes) -> NDArray[np.float64]:
    """Positive integers, for counts of ions -> (n,).

    Raises:
        Unusable: The bytes end too early.
    """
    return _integers(data).astype(np.float64)


def decode_slof(data: bytes) -> NDArray[np.float64]:
    """Short logged floats, for intensities -> (n,).

    Raises:
        Unusable: The bytes end too early, or the fixed point is no positive number.
    """
    fixed_point = _fixed_point(data)
    if len(data) % 2:
        raise _cut_off(data)
    with np.errstate(over="ignore"):
        return np.exp(np.frombuffer(data[_FIXED_POINT:], "<u2") / fixed_point) - 1


class Numpress(NamedTuple):
    """One of the three codes: its decoder, and how many bytes n values take at most."""

    decode: Callable[[bytes], NDArray[np.float64]]
    most_bytes: Callable[[int], int]


LINEAR = Numpress(decode_linear, lambda n: _LINEAR_HEADER + (9 * n + 1) // 2)
PIC = Numpress(decode_pic, lambda n: (9 * n + 1) // 2)
SLOF = Numpress(decode_slof, lambda n: _FIXED_POINT + 2 * n)


def _fixed_point(data: bytes) -> float:
    if len(data) < _FIXED_POINT:
        raise _cut_off(data)
    value = float(np.frombuffer(data[:_FIXED_POINT], ">f8")[0])
    if not 0 < value < np.inf:
        raise Unusable(reasons.ARRAY_NOT_DECODED, f"fixed point {value} of MS-Numpress")
    return value


def _integers(data: bytes) -> NDArray[np.uint64]:
    """Integers of 32 bits without their leading zeros or ones -> (n,), below 2**32.

    Each begins with half a byte: of 0 to 8 leading zeros, or 8 more than the number of leading ones, counted in half
    bytes. The other half bytes follow, the lowest first. Half a byte of zero at the end is left over.
    """
    pairs = np.frombuffer(data, np.uint8)
    halves = np.stack([pairs >> 4, pairs & 15], axis=1).ravel()
    n_left_out = np.where(halves > 8, halves - 8, halves).astype(np.int64)
    following = (np.arange(len(halves)) + 1 + _NIBBLES - n_left_out).tolist()
    starts = []
    at, end = 0, len(halves)
    while at < end:
        if at == end - 1 and halves[at] == 0:
            break
        starts.append(at)
        at = following[at]
    if at > end:
        raise _cut_off(data)
    positions = np.array(starts, np.int64)
    heads, n_present = halves[positions].astype(np.int64), _NIBBLES - n_left_out[positions]
    padded = np.concatenate([halves, np.zeros(_NIBBLES, np.uint8)]).astype(np.uint64)
    values = np.zeros(len(positions), np.uint64)
    for i in range(_NIBBLES):
        ones = np.where(heads > 8, np.uint64(15), np.uint64(0))
        half = np.where(i < n_present, padded[positions + 1 + i], ones)
        values |= half << np.uint64(4 * i)
    return values


def _cut_off(data: bytes) -> Unusable:
    return Unusable(reasons.ARRAY_NOT_DECODED, f"{len(data)} bytes of MS-Numpress end within a value")
