"""Where an interrupted training goes on: network, optimiser and epoch in one safetensors file."""

import json

from safetensors import safe_open
from safetensors.torch import save_file

FORMAT = "specbridge-ranker-training"
_KEY = "specbridge"


def save_state(network, optimiser, epoch, path):
    """Write the state after `epoch`. `optimiser` is one of torch's that keeps tensors for each parameter."""
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    for number, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value.contiguous() for name, value in values.items()}
    save_file(tensors, path, metadata={_KEY: json.dumps({"format": FORMAT, "epoch": epoch})})


def load_state(network, optimiser, path):
    """Bring network and optimiser to the state of a file; returns the epoch that it was written after."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[_KEY])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
    network.load_state_dict(
        {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    )
    values = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, key = name.split(".", 2)
            values.setdefault(int(number), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": values, "param_groups": groups})
    return header["epoch"]
