"""Numbers read many at a time are those that `float` reads."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specbridge_tools.spectra.peaks import plain_peaks

DECIMAL = st.from_regex(r"[0-9]{1,18}(\.[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
LETTERS = st.text("0123456789.eE+-", min_size=1, max_size=8)


@pytest.mark.slow
@example([("9007199254740993", "1e23"), ("0.1", "123456789012345678e-12")])
@given(st.lists(st.tuples(DECIMAL, DECIMAL), min_size=1, max_size=12))
def test_to_the_last_bit(pairs):
    peaks = plain_peaks("".join(f"{mz} {intensity}\n" for mz, intensity in pairs).encode())
    np.testing.assert_array_equal(peaks, [[float(mz), float(intensity)] for mz, intensity in pairs])


@pytest.mark.slow
@example(["0", "0E-"])
@example(["0E+", "1"])
@given(st.lists(LETTERS, min_size=2, max_size=8).filter(lambda words: len(words) % 2 == 0))
def test_words_that_are_no_numbers_are_never_taken_for_some(words):
    lines = "".join(f"{mz} {intensity}\n" for mz, intensity in zip(words[::2], words[1::2], strict=True)).encode()
    peaks = plain_peaks(lines)
    try:
        expected = np.array([float(word) for word in words]).reshape(-1, 2)
    except ValueError:
        assert peaks is None
        return
    if peaks is not None:
        np.testing.assert_array_equal(peaks, expected)


@pytest.mark.parametrize(
    "lines",
    [
        b"1 2 3\n",
        b"1\n",
        b"1 2",
        b" 1 2\n",
        b"1 2 \n",
        b"1  2\n",
        b"1 a\n",
        b"1 2\n\n",
        b"1.2.3 4\n 5\n",
        b". 1+2\n",
        b"1 -\n",
    ],
)
def test_lines_that_are_not_plain(lines):
    assert plain_peaks(lines) is None


def test_tabs_and_nothing():
    assert plain_peaks(b"1\t2\n3 4\n").tolist() == [[1, 2], [3, 4]]
    assert plain_peaks(b"").shape == (0, 2)
