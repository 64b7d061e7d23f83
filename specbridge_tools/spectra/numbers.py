"""Many decimal numbers from text at once, to the last bit as `float` reads them, and several times faster.

A decimal of at most 2^53 without its point, scaled by at most 10^22, is two numbers that binary64 holds exactly; their
product or quotient is then correctly rounded (Clinger, How to read floating point numbers accurately, PLDI 1990).
So the digits are read as integers, which is fast, and scaled by numpy.
"""

import warnings

import numpy as np

_END, _POINT, _EXPONENT, _SIGN = range(1, 5)
_KIND = bytes.maketrans(b" \n.eE+-" + bytes(range(48, 58)), bytes([1, 1, 2, 3, 3, 4, 4]) + bytes(10))
_EXPONENTS_TO_BLANKS = bytes.maketrans(b"eE\n", b"   ")
_POWERS = 10.0 ** np.arange(23)
WORTHWHILE = 2048  # bytes: for fewer the many steps over arrays cost more than they save
_LARGEST_EXACT = 1 << 53


def read_numbers(text):
    """Numbers of the letters `0-9.eE+-`, each ended by one blank or newline -> float64; shorter or None when malformed.

    The caller knows how many words there are and compares.
    """
    values = _exactly(text) if len(text) > WORTHWHILE else None
    return _one_by_one(text, np.float64) if values is None else values


def _exactly(text):
    """The numbers, or None where the text has one that this way of reading does not cover."""
    kinds = text.translate(_KIND)
    position = np.flatnonzero(np.frombuffer(kinds, dtype=np.bool_))
    kind = np.frombuffer(kinds, dtype=np.uint8)[position]
    before = _shifted(kind)
    is_sign = kind == _SIGN
    if is_sign.any():
        # a sign may only follow its exponent's letter: with any other, one word could pass for two
        if (before[is_sign] != _EXPONENT).any() or (np.diff(position, prepend=-1)[is_sign] != 1).any():
            return None
        # and a digit must follow it: numpy reads a sign alone as 0
        behind = np.minimum(position[is_sign] + 1, len(kinds) - 1)
        if np.frombuffer(kinds, dtype=np.bool_)[behind].any():
            return None
        position, kind = position[~is_sign], kind[~is_sign]
        before = _shifted(kind)
    if ((kind == _POINT) & (before != _END)).any() or ((kind == _EXPONENT) & (before == _EXPONENT)).any():
        return None
    is_number = kind != _POINT
    is_exponent = ((kind == _END) & (before == _EXPONENT))[is_number]
    digits = _one_by_one(text.translate(_EXPONENTS_TO_BLANKS, b"."), np.int64)
    if digits is None or len(digits) != len(is_exponent):
        return None
    mantissa = digits[~is_exponent]
    decimals = np.where(before == _POINT, np.diff(position, prepend=-1) - 1, 0)[is_number]
    scale = -decimals[~is_exponent]
    if is_exponent.any():
        scale[(np.cumsum(~is_exponent) - 1)[is_exponent]] += digits[is_exponent]
    if len(mantissa) == 0 or mantissa.max() > _LARGEST_EXACT or np.abs(scale).max() >= len(_POWERS):
        return None
    return mantissa * _POWERS[np.maximum(scale, 0)] / _POWERS[np.maximum(-scale, 0)]


def _shifted(kind):
    return np.concatenate((np.array([_END], dtype=np.uint8), kind[:-1]))


def _one_by_one(text, dtype):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, dtype=dtype, sep=" ")
    except (DeprecationWarning, ValueError):
        return None
