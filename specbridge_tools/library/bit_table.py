"""The bits of many sparse fingerprints, laid out so that they compress well.

Rows are stored in an order in which neighbours are alike (that of their SMILES), so that xz finds what they share. A
stored table is little-endian numbers:

    n, bits, n_set       each uint32: rows, columns, and bits that are set
    bit_of               (bits,) uint16    the bit that has each number: 0 is the one that is set most often
    n_of                 (n,) uint16       bits that are set in each row
    numbers              (n_set,) uint16   those of the bits of each row, ascending, row after row
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import FormatError

_ADVICE = "install the package again"
_HEAD_BYTES = 12
MOST_BITS = 1 << 16
Bits: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int32]]"
"""Offsets (n + 1,) and bits: those of row i are bits[offsets[i]:offsets[i + 1]], ascending."""


def packed_bits(table: Bits, order: NDArray[np.int64], *, bits: int) -> bytes:
    """Lay out a table of at most `MOST_BITS` columns, its rows in the order of these row numbers (n,)."""
    offsets, columns = _taken(table, order)
    bit_of = np.argsort(-np.bincount(columns, minlength=bits), kind="stable")
    number_of = np.empty(bits, np.int64)
    number_of[bit_of] = np.arange(bits)
    n_of = np.diff(offsets)
    row = np.repeat(np.arange(len(n_of)), n_of)
    numbers = number_of[columns]
    numbers = numbers[np.lexsort((numbers, row))]
    head = np.array([len(n_of), bits, len(numbers)], "<u4")
    return head.tobytes() + b"".join(part.astype("<u2").tobytes() for part in (bit_of, n_of, numbers))


def unpacked_bits(content: bytes, order: NDArray[np.int64], *, bits: int, name: str) -> Bits:
    """Read what `packed_bits` laid out in this order; `name` is that of the file, for messages."""
    n, found, n_set = np.frombuffer(content[:_HEAD_BYTES].ljust(_HEAD_BYTES, b"\0"), "<u4").tolist()
    values = np.frombuffer(content[_HEAD_BYTES : len(content) // 2 * 2], "<u2")
    if (n, found) != (len(order), bits) or len(values) != bits + n + n_set:
        raise FormatError("its fingerprints do not fit its molecules", where=name, advice=_ADVICE)
    bit_of, n_of, numbers = np.split(values, [bits, bits + n])
    if int(n_of.sum(dtype=np.int64)) != n_set or (n_set and int(numbers.max()) >= bits):
        raise FormatError("its fingerprints are damaged", where=name, advice=_ADVICE)
    columns = bit_of[numbers].astype(np.int32)
    row = np.repeat(np.arange(n), n_of)
    columns = columns[np.lexsort((columns, row))]
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    return _taken((np.concatenate([[0], np.cumsum(n_of, dtype=np.int64)]), columns), place)


def _taken(table: Bits, rows: NDArray[np.int64]) -> Bits:
    """The table of these rows."""
    offsets, columns = table
    n_of = np.diff(offsets)[rows]
    starts = np.concatenate([[0], np.cumsum(n_of, dtype=np.int64)])
    places = np.arange(starts[-1]) + np.repeat(offsets[rows] - starts[:-1], n_of)
    return starts, columns[places]
