"""How many threads a command may use."""

from __future__ import annotations

import contextlib
import functools
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any


def available_threads() -> int:
    """CPU cores that the scheduler allows this process: affinity, then the quotas of its cgroups; at least 1."""
    # macOS has no affinity
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for quota in map(_cgroup_cores, _cgroup_folders()) if quota]
    return max(1, min([cores, *quotas]))


def _cgroup_folders(root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> list[Path]:
    """The folders of this process's cgroups and of all above them, `root` last.

    Of version 2, and of the hierarchy of version 1 that limits the CPU.
    """
    folders: list[Path] = []
    with contextlib.suppress(OSError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "cpu,cpuacct", "cpu"):
                top = root / controllers
                inner = top / path.strip("/")
                folders += [inner, *(folder for folder in inner.parents if folder.is_relative_to(top))]
    return [*folders, root]


def _cgroup_cores(folder: Path) -> int | None:
    """Cores that the quota of one cgroup allows, or None for no quota."""
    try:
        limit, period = (folder / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return None
    try:
        return max(1, int(limit) // int(period)) if int(limit) > 0 else None
    except ValueError:
        return None  # max


@functools.cache
def _blas() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def one_blas_thread() -> contextlib.AbstractContextManager[object]:
    """Context in which numpy's products use one thread; numpy must be imported before the first one."""
    limited: contextlib.AbstractContextManager[object] = _blas().limit(limits=1)
    return limited


def use_threads(count: int | None) -> int:
    """Give torch `count` threads, None for all that are available.

    torch brings the BLAS and OpenMP pools that we use.

    Returns:
        How many there are now.
    """
    import torch

    count = count or available_threads()
    torch.set_num_threads(count)
    return count


def blas_threads(count: int) -> AbstractContextManager[object]:
    """Context in which numpy's products have `count` threads; numpy must be imported before the first one."""
    return _blas().limit(limits=count)
