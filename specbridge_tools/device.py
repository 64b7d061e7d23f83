"""Which device torch computes on."""

from specbridge_tools.errors import TryAgainError, UsageError


def pick_device(name):
    """`torch.device` for `cpu`, `cuda`, `cuda:N`, or `auto`, the GPU where there is one.

    Raises `UsageError` for a device that this machine lacks, `TryAgainError` where it has no memory left.
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
