"""What the columns of our files may hold, whoever wrote the file: checked in this one place, block by block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError
from specbridge_tools.molecules.counts import PREFIX, parse_count

Check = Callable[[NDArray[Any]], NDArray[np.bool_]]
_LONGEST_CHARGE = 1000  # no ion comes near it


def _finite(values: NDArray[Any]) -> NDArray[np.bool_]:
    # by their bits, without the sign: a tenth of the time of `isfinite`, which a search of all vectors would feel
    bits = values.view(values.dtype.str.replace("f", "u")) << 1
    infinite = np.array(np.inf, values.dtype).view(bits.dtype) << 1
    return np.isfinite(values) if bits.max() >= infinite else np.ones((len(values), 1), bool)


def _not_negative(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isfinite(values) & (values >= 0)


def _graphic_ascii(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Texts of one length: no character but printable ASCII, padded with zeros at the end."""
    codes = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
    ended = np.maximum.accumulate(codes == 0, axis=1)
    fits: NDArray[np.bool_] = (((codes > 32) & (codes < 127) & ~ended) | (codes == 0)).all(axis=1)
    return fits


def _counts(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Texts that are numbers from 0 as they are carried along."""
    return np.array([parse_count(str(text)) == text for text in values], bool)


_OF_TEXTS = ("_bytes", "_offsets")  # how an index holds text
_CHECKS: dict[str, tuple[Check, str]] = {
    **dict.fromkeys(("embedding", "ivf_centroids", "ivf_embedding"), (_finite, "a finite number")),
    "exact_mass": (_not_negative, "a mass"),
    "precursor_mz": (_not_negative, "an m/z"),
    "inchikey14": (_graphic_ascii, "the first block of an InChIKey"),
    "charge": (lambda values: abs(values.astype(np.int64)) <= _LONGEST_CHARGE, "a charge"),
    "polarity": (lambda values: abs(values.astype(np.int64)) <= 1, "-1, 0 or 1"),
    "truncated": (lambda values: values <= 1, "0 or 1"),
    "record": (_not_negative, "the number of a record"),
    PREFIX: (_counts, "a number from 0"),
    "line": (_not_negative, "the number of a line"),
}


def check_values(values: NDArray[Any], column: str, where: str, *, first_row: int = 0) -> None:
    """Raise `FormatError` unless rows of a column (n, ...) are values that it can have; columns of text always are.

    Args:
        values: Rows of the column.
        column: Its name.
        where: Name of the file, for messages.
        first_row: Which row of the file the first one is, from 0, for messages.
    """
    kind = PREFIX if column.startswith(PREFIX) and not column.endswith(_OF_TEXTS) else column
    if kind not in _CHECKS or not values.size:
        return
    check, expected = _CHECKS[kind]
    fits = check(values)
    if not fits.all():
        row = int(fits.reshape(len(values), -1).all(axis=1).argmin())
        value = values[row] if values.ndim == 1 else values[row][~fits[row]][0]
        shown = value.item() if isinstance(value, np.generic) else value
        what = f"row {first_row + row + 1} of {column} is {shown!r}, expected {expected}"
        raise FormatError(what, where=where, advice="copy it or make it again")
