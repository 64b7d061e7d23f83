"""Where an interrupted training continues: network, optimiser and epoch in one safetensors file."""

from __future__ import annotations

import os

import torch

from specbridge_tools.streams import output_path
from specbridge_tools.weights.tensor_file import check_header, read_tensor_file, write_tensor_file

FORMAT = "specbridge-ranker-training"
FORMAT_VERSION = 1


def save_state(
    network: torch.nn.Module, optimiser: torch.optim.Optimizer, epoch: int, path: str | os.PathLike[str]
) -> None:
    """Write the state after `epoch`, in place of what is there once it is whole.

    The optimiser is one that keeps tensors, and only those, for each parameter.
    """
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    for number, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value.contiguous() for name, value in values.items()}
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, "epoch": epoch}
    with output_path(path, force=True) as temporary:
        write_tensor_file(tensors, header, temporary)


def load_state(network: torch.nn.Module, optimiser: torch.optim.Optimizer, path: str | os.PathLike[str]) -> int:
    """Bring network and optimiser to the state in a file, and return the epoch after which it was written."""
    header, tensors = read_tensor_file(path, framework="pt")
    check_header(header, path, expected_format=FORMAT, version=FORMAT_VERSION)
    network.load_state_dict(
        {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    )
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".", 2)
            states.setdefault(int(number), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": states, "param_groups": groups})
    epoch: int = header["epoch"]
    return epoch
