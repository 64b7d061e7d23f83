"""Which device torch computes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specbridge_tools.errors import TryAgainError, UsageError

if TYPE_CHECKING:
    import torch


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
