"""Batches through a network so that the output for a batch does not depend on the number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Batch = TypeVar("Batch")
Output = TypeVar("Output")

# How a row of a matrix product rounds depends on the kernel that it falls to. MKL's kernels for AVX-512, for AVX2 and
# for any processor were tried: in products of one shape all rows fall to the same kernel where their number is a
# multiple of 12, and in products of any number of rows where that is a multiple of 96.
_EVEN, _WHOLE = 12, 96


def even_rows(count: int) -> int:
    """`count`, at least 1, rounded up: in products of so many rows a row is the same wherever it stands."""
    return -(-count // _EVEN) * _EVEN


def whole_rows(count: int) -> int:
    """`count`, at least 1, rounded up: in products of so many rows a row is the same however many stand beside it."""
    return -(-count // _WHOLE) * _WHOLE


def each_on_one_thread(
    compute: Callable[[Batch], Output], batches: Iterable[Batch], *, device: torch.device
) -> list[Output]:
    """[compute(batch) for batch in batches], in order; on the CPU as many at once as torch has threads.

    Where several threads share one matrix product, the last bits of a row depend on where the row stands. So here they
    share the batches instead, and within a batch each product has one thread.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu":
        return [compute(batch) for batch in batches]
    torch.set_num_threads(1)
    try:
        if threads == 1:
            return [compute(batch) for batch in batches]
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(compute, batches))
    finally:
        torch.set_num_threads(threads)
