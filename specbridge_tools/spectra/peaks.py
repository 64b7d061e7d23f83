"""Peak lists: text -> numbers, and the rules that every peak list keeps."""

import numpy as np

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.numbers import read_numbers

_LARGEST = float(np.finfo(np.float32).max)
_NUMBER_LETTERS = b"0123456789.eE+-"
_TABS = bytes.maketrans(b"\t", b" ")


def plain_peaks(lines):
    """Lines of `m/z intensity`, the last one ended too -> (n, 2) float64; None where any line is not just that.

    Many records' lines are read at once at the cost of one.
    """
    lines = lines.translate(_TABS)
    n_lines = lines.count(b"\n")
    if lines.translate(None, _NUMBER_LETTERS) != b" \n" * n_lines or b" \n" in lines or b"\n " in lines:
        return None
    # every line is two words of number letters now; a word that is no number, or more than one, changes the count
    values = read_numbers(lines)
    if values is None or len(values) != 2 * n_lines or lines[:1] == b" ":
        return None
    return values.reshape(-1, 2)


def sound_peaks(peaks, starts):
    """Whether the (n, 2) peaks of many records keep the rules of `checked_peaks`; record i begins at starts[i]."""
    mz, intensity = peaks[:, 0], peaks[:, 1]
    if len(peaks) == 0 or not (mz.min() > 0 and mz.max() < np.inf and intensity.max() <= _LARGEST):
        return False
    descends = mz[1:] < mz[:-1]
    starts = np.asarray(starts)
    descends[starts[(starts > 0) & (starts < len(mz))] - 1] = False
    return not descends.any() and intensity.astype(np.float32).min() > 0


def number(text):
    """A finite number, or `Unusable`; `1_000`, which Python reads, is none."""
    try:
        value = float(text) if "_" not in text else np.nan
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise Unusable(reasons.PEAK_NOT_A_NUMBER, f"{text[:40]!r}")
    return value


def checked_peaks(mz, intensity):
    """The peaks as `Spectrum` wants them: (n,) float64 ascending m/z, (n,) float32 intensities > 0.

    Peaks of intensity 0 (or too small for float32) are dropped; equal m/z are kept, in the order of the file. Raises
    `Unusable` for arrays of unequal length, numbers that are not finite, m/z <= 0, intensities < 0 or too large for
    float32, and where no peak is left.
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
    intensity = intensity.astype(np.float32)
    if intensity.min() == 0:
        kept = intensity > 0
        mz, intensity = mz[kept], intensity[kept]
        if len(mz) == 0:
            raise Unusable(reasons.NO_PEAKS, f"each of {n_read} has intensity 0")
    if mz.min() <= 0:
        raise Unusable(reasons.MZ_NOT_POSITIVE, f"{mz.min():g}")
    if (mz[1:] < mz[:-1]).any():
        order = np.argsort(mz, kind="stable")
        mz, intensity = mz[order], intensity[order]
    return np.ascontiguousarray(mz, dtype=np.float64), np.ascontiguousarray(intensity)
