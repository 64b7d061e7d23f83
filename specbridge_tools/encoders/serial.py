"""Batches through a network so that what comes of a batch does not depend on the number of threads."""

from concurrent.futures import ThreadPoolExecutor

import torch


def each_on_one_thread(compute, batches, *, device):
    """[compute(batch) for batch in batches], in order; on the CPU as many at once as torch has threads.

    Where several threads share one matrix product, the last bits of a row depend on where the row stands. So here they
    share the batches instead, and within a batch each product has one thread: in batches of one shape a row is then
    the same to the last bit, whatever stands beside it (on one kind of processor).
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
