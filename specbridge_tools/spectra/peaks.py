"""Peak lists: text -> numbers, and the rules that every peak list keeps."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable

_LARGEST = float(np.finfo(np.float32).max)
_NUMBER_LETTERS = b"0123456789.eE+-"
_TABS = bytes.maketrans(b"\t", b" ")


def plain_peaks(lines: bytes) -> NDArray[np.float64] | None:
    """Lines of `m/z intensity`, all of them ended -> (n, 2); None where any line is anything else.

    The lines of many records are read at once at the cost of one, and every number as `float` reads it.
    """
    lines = lines.translate(_TABS)
    n_lines = lines.count(b"\n")
    if lines.translate(None, _NUMBER_LETTERS) != b" \n" * n_lines or b" \n" in lines or b"\n " in lines:
        return None
    # every line is two words of number letters now; a word that is no number, or more than one, changes the count
    values = _read_numbers(lines)
    if values is None or len(values) != 2 * n_lines or lines[:1] == b" ":
        return None
    return values.reshape(-1, 2)


def _read_numbers(text: bytes) -> NDArray[np.float64] | None:
    """Numbers with white space between them; fewer or None where a word is none."""
    try:
        with warnings.catch_warnings():
            # numpy warns of text that it cannot read to its end, and will raise an error one day
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, dtype=np.float64, sep=" ")
    except (DeprecationWarning, ValueError):
        return None


def sound_peaks(peaks: NDArray[np.float64], starts: ArrayLike) -> bool:
    """Whether the (n, 2) peaks of many records keep the rules of `checked_peaks`; record i begins at starts[i]."""
    mz, intensity = peaks[:, 0], peaks[:, 1]
    if len(peaks) == 0 or not (mz.min() > 0 and mz.max() < np.inf and intensity.max() <= _LARGEST):
        return False
    descends = mz[1:] < mz[:-1]
    first = np.asarray(starts)
    descends[first[(first > 0) & (first < len(mz))] - 1] = False
    return not descends.any() and bool(intensity.astype(np.float32).min() > 0)


def number(text: str) -> float:
    """A finite number; `1_000`, which Python reads, is none.

    Raises:
        Unusable: It is none.
    """
    try:
        value = float(text) if "_" not in text else np.nan
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise Unusable(reasons.PEAK_NOT_A_NUMBER, f"{text[:40]!r}")
    return value


def peak_array(peaks: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Pairs of m/z and intensity -> (n, 2), n may be 0."""
    return np.array(peaks, dtype=np.float64).reshape(-1, 2)


def checked_peaks(
    mz: NDArray[np.float64], intensity: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The peaks as `Spectrum` wants them: (n,) ascending m/z, (n,) intensities > 0.

    Peaks of intensity 0 (or too small for float32) are dropped; peaks of equal m/z stay in the order of the file.

    Raises:
        Unusable: The arrays differ in length, a number is not finite, an m/z is not positive, an intensity is negative
            or too large for float32, or no peak is left.
    """
    if len(mz) != len(intensity):
        raise Unusable(reasons.UNEQUAL_ARRAYS, f"{len(mz)} m/z and {len(intensity)} intensities")
    n_read = len(mz)
    if n_read == 0:
        raise Unusable(reasons.NO_PEAKS, "")
    low, high = intensity.min(), intensity.max()
    if not (low > 0 and high <= _LARGEST):
        if not (np.isfinite(intensity).all() and high <= _LARGEST):
            raise Unusable(reasons.PEAK_NOT_A_NUMBER, f"intensity {intensity[~(np.abs(intensity) <= _LARGEST)][0]}")
        if low < 0:
            raise Unusable(reasons.NEGATIVE_INTENSITY, f"{low:g}")
    if not np.isfinite(mz).all():
        raise Unusable(reasons.PEAK_NOT_A_NUMBER, f"m/z {mz[~np.isfinite(mz)][0]}")
    small = intensity.astype(np.float32)
    if small.min() == 0:
        present = small > 0
        mz, small = mz[present], small[present]
        if len(mz) == 0:
            raise Unusable(reasons.NO_PEAKS, f"each of {n_read} has intensity 0")
    if mz.min() <= 0:
        raise Unusable(reasons.MZ_NOT_POSITIVE, f"{mz.min():g}")
    if (mz[1:] < mz[:-1]).any():
        order = np.argsort(mz, kind="stable")
        mz, small = mz[order], small[order]
    return np.ascontiguousarray(mz, dtype=np.float64), np.ascontiguousarray(small)
