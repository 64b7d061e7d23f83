"""How many threads a command may use."""

import math
import os
from pathlib import Path


def available_threads():
    """CPU cores that the scheduler allows this process: affinity, then the cgroup's quota; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_cores(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, quota) if quota else cores)


def _cgroup_cores(path):
    try:
        limit, period = path.read_text().split()
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(1, math.floor(int(limit) / int(period)))


def use_threads(count):
    """Give torch `count` threads (it brings the BLAS and OpenMP pools that we use); returns the count."""
    import torch

    count = count or available_threads()
    torch.set_num_threads(count)
    return count
