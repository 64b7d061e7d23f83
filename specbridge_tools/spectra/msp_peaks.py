"""The peak lists of MSP: one peak or several on a line, many separators, annotations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.fields import Unusable
from specbridge_tools.spectra.peaks import number, peak_array, plain_peaks
from specbridge_tools.spectra.reading import Reading
from specbridge_tools.spectra.text import decoded

PeakArray: TypeAlias = NDArray[np.float64]
"""(n, 2) m/z and intensity."""
_ANNOTATION = re.compile(r'"[^"]*(?:"|$)')
_SEPARATORS = re.compile(r"[\s,()\[\]{}]+")
_NUMBER = re.compile(r"[+-]?(?:\d[\d.eE+-]*|\.\d+.*|nan|inf(?:inity)?)", re.IGNORECASE)


def read_peaks(lines: Sequence[bytes], n_expected: int, most: int) -> NDArray[np.float64]:
    """Lines of a record -> (n, 2) m/z and intensity.

    The expected number decides whether a line of several numbers is one peak with a third column, or several peaks.

    Raises:
        Unusable: A line is no peak, or their number is another, or there are more than `most`.
    """
    peaks = plain_peaks(b"\n".join(lines) + b"\n") if lines else peak_array([])
    if peaks is None:
        peaks = peak_array(_careful(lines, n_expected, most))
    if len(peaks) != n_expected:
        raise Unusable(reasons.PEAK_COUNT_DIFFERS, f"Num Peaks is {n_expected}, but there are {len(peaks)}")
    return peaks


def sound_peaks(lines: Sequence[bytes], reading: Reading) -> PeakArray | None:
    """Lines of MS1 -> (n, 2), where isotope peaks are wanted and every line is a plain peak; else None."""
    if not (reading.isotopes and lines) or len(lines) > reading.max_peaks:
        return None
    return plain_peaks(b"\n".join(lines) + b"\n")


def _careful(lines: Sequence[bytes], n_expected: int, most: int) -> list[tuple[float, float]]:
    segments: list[str] = []
    too_many = Unusable(reasons.TOO_MANY_PEAKS, f"more than {most:,}")
    # every peak may end in one
    if sum(line.count(b";") for line in lines) > 2 * most:
        raise too_many
    for line in lines:
        text = decoded(line)
        if "\0" in text:
            raise Unusable(reasons.NUL_BYTES, text.replace("\0", " ")[:40])
        segments += (part for part in _ANNOTATION.sub(" ", text).split(";") if part.strip())
    peaks: list[tuple[float, float]] = []
    for segment in segments:
        words = [word for word in _SEPARATORS.split(segment, 2 * most + 3) if word]
        if len(words) > 2 * most + 1 or len(peaks) > most:
            raise too_many
        n_numbers = next((i for i, word in enumerate(words) if not _NUMBER.fullmatch(word)), len(words))
        if n_numbers < 2 and len(words) > n_numbers:
            raise Unusable(reasons.PEAK_NOT_A_NUMBER, segment.strip()[:40])
        if n_numbers == 3 and len(segments) == n_expected and "," not in segment:
            n_numbers = 2
        if n_numbers % 2 or not words:
            raise Unusable(reasons.UNEQUAL_ARRAYS, segment.strip()[:40])
        values = [number(word) for word in words[:n_numbers]]
        peaks += zip(values[::2], values[1::2], strict=True)
    if len(peaks) > most:
        raise too_many
    return peaks
