import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.errors import FormatError
from specbridge_tools.library.bit_table import packed_bits, unpacked_bits

BITS = 300


def table_of(rows):
    return (
        np.cumsum([0, *map(len, rows)], dtype=np.int64),
        np.array([bit for row in rows for bit in sorted(row)], np.int32),
    )


def lists(table):
    offsets, columns = table
    return [columns[low:high].tolist() for low, high in itertools.pairwise(offsets)]


@given(
    st.lists(st.sets(st.integers(0, BITS - 1), max_size=12), max_size=20).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))
    )
)
def test_what_is_packed_in_any_order_comes_back(rows_and_order):
    rows, order = rows_and_order
    order = np.array(order, np.int64)
    content = packed_bits(table_of(rows), order, bits=BITS)
    assert lists(unpacked_bits(content, order, bits=BITS, name="x")) == [sorted(row) for row in rows]


def test_the_most_frequent_bit_has_number_0():
    content = packed_bits(table_of([{7, 200}, {200}, {200, 9}]), np.arange(3), bits=BITS)
    values = np.frombuffer(content[12:], "<u2")
    assert values[:3].tolist() == [200, 7, 9]
    assert values[BITS:].tolist() == [2, 1, 2, 0, 1, 0, 0, 2]


@pytest.mark.parametrize("cut", [0, 5, 12, 40, 4000])
def test_what_is_cut_short_is_an_error(cut):
    content = packed_bits(table_of([{1, 2}] * 2000), np.arange(2000), bits=BITS)
    with pytest.raises(FormatError, match="fingerprints do not fit its molecules; install the package again"):
        unpacked_bits(content[:cut], np.arange(2000), bits=BITS, name="x")


def test_a_bit_beyond_the_last_is_an_error():
    content = bytearray(packed_bits(table_of([{1}]), np.arange(1), bits=BITS))
    content[-2:] = b"\xff\xff"
    with pytest.raises(FormatError, match="x: its fingerprints are damaged"):
        unpacked_bits(bytes(content), np.arange(1), bits=BITS, name="x")
