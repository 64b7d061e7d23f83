"""Which device torch computes on."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from specbridge_tools.errors import TryAgainError, UsageError

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


@functools.cache
def warn_of_slow_bfloat16(device: torch.device) -> None:
    """Say once that this processor has no instructions for bfloat16: measured, it then takes 4 to 6 times as long."""
    if device.type == "cpu" and not _cpu_has_bfloat16():
        logger.warning("this processor has no bfloat16 instructions and is several times slower with it; use float32")


def _cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 itself (AVX-512 BF16, AMX, or Arm BF16); True where it cannot be told.

    torch's own check is private, and true for any processor with AVX-512, which is the slow case.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return True
    flags = next((line.split() for line in lines if line.startswith(("flags", "Features"))), None)
    return flags is None or not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def pick_device(name: str) -> torch.device:
    """`torch.device` for `cpu`, `cuda`, `cuda:N`, or `auto`, the GPU where there is one.

    Raises:
        UsageError: Where this machine lacks the device.
        TryAgainError: Where the device has no memory left.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except torch.cuda.OutOfMemoryError as error:
        raise TryAgainError(f"no memory on device {name}") from error
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"device {name!r} cannot be used here", advice="cpu, cuda, cuda:N or auto") from error
    return device
