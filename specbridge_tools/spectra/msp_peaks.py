"""The peak lists of MSP: one peak or several on a line, many separators, annotations."""

import re

import numpy as np

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.peaks import number, plain_peaks
from specbridge_tools.spectra.text import decoded

_ANNOTATION = re.compile(r'"[^"]*(?:"|$)')
_SEPARATORS = re.compile(r"[\s,()\[\]{}]+")
_NUMBER = re.compile(r"[+-]?(?:\d[\d.eE+-]*|\.\d+.*|nan|inf(?:inity)?)", re.IGNORECASE)


def read_peaks(lines, promised):
    """Lines of bytes -> (n, 2) float64 m/z and intensity; raises `Unusable` unless there are as many as promised.

    The promise tells how a line of several numbers is meant: as one peak with a third column, or as several peaks.
    """
    peaks = plain_peaks(b"\n".join(lines) + b"\n") if lines else np.empty((0, 2))
    if peaks is None:
        peaks = np.array(_careful(lines, promised), dtype=np.float64).reshape(-1, 2)
    if len(peaks) != promised:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"Num Peaks is {promised}, and {len(peaks)} there are")
    return peaks


def _careful(lines, promised):
    segments = []
    for line in lines:
        text = decoded(line)
        if "\0" in text:
            raise Unusable(reasons.NUL_BYTES, text.replace("\0", " ")[:40])
        segments += (part for part in _ANNOTATION.sub(" ", text).split(";") if part.strip())
    peaks = []
    for segment in segments:
        words = [word for word in _SEPARATORS.split(segment) if word]
        n_numbers = next((i for i, word in enumerate(words) if not _NUMBER.fullmatch(word)), len(words))
        if n_numbers < 2 and len(words) > n_numbers:
            raise Unusable(reasons.PEAK_NOT_A_NUMBER, segment.strip()[:40])
        if n_numbers == 3 and len(segments) == promised and "," not in segment:
            n_numbers = 2
        if n_numbers % 2 or not words:
            raise Unusable(reasons.UNEQUAL_ARRAYS, segment.strip()[:40])
        values = [number(word) for word in words[:n_numbers]]
        peaks += zip(values[::2], values[1::2], strict=True)
    return peaks
