"""Training checkpoints: all that a killed run needs to end as if it had not been killed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

import torch

from specbridge_tools.bridge.model import AlignedModel
from specbridge_tools.errors import MismatchError
from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.streams import output_path
from specbridge_tools.weights.tensor_file import check_header, read_tensor_file, write_tensor_file

FORMAT = "specbridge-training"
FORMAT_VERSION = 1


@dataclasses.dataclass
class TrainingState:
    """How far a run is.

    Attributes:
        epoch: Epochs done.
        step: Steps done of the next epoch.
        loss_sum: Sum over those steps of the loss times the number of spectra.
        rng_state: State of torch's random numbers after those steps, None for no steps.
        history: One row of metrics per epoch.
        best_epoch: The one with the best metric, 0 for none.
        best: Weights of that epoch, but for those that do not learn.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    rng_state: torch.Tensor | None = None
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    best_epoch: int = 0
    best: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)


def save_checkpoint(
    path: str | os.PathLike[str],
    model: AlignedModel,
    optimiser: torch.optim.Optimizer,
    state: TrainingState,
    fingerprint: Mapping[str, object],
) -> None:
    """Write the weights and the states of optimiser and run; `fingerprint` names data and options of the run."""
    tensors = {f"model.{name}": tensor for name, tensor in model.stored_state().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in state.best.items()}
    for i, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{name}": torch.as_tensor(value) for name, value in values.items()}
    if state.rng_state is not None:
        tensors["generator"] = state.rng_state
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created_by": CREATED_BY,
        "fingerprint": dict(fingerprint),
        "epoch": state.epoch,
        "step": state.step,
        "total": state.loss_sum,
        "history": state.history,
        "best_epoch": state.best_epoch,
    }
    # no copies on the CPU: they would be the most memory that a run takes
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with output_path(path, force=True) as temporary:
        write_tensor_file(tensors, header, temporary)


def load_checkpoint(
    path: str | os.PathLike[str],
    model: AlignedModel,
    optimiser: torch.optim.Optimizer,
    fingerprint: Mapping[str, object],
) -> TrainingState:
    """Restore model and optimiser in place, and return the state of the run.

    Raises:
        DataError: If the file cannot be read.
        FormatError: If it is not a checkpoint of this version.
        MismatchError: If the run had other data or options.
    """
    header, tensors = read_tensor_file(path, framework="pt")
    check_header(header, path, expected_format=FORMAT, version=FORMAT_VERSION)
    for key in sorted(set(fingerprint) | set(header["fingerprint"])):
        was, now = header["fingerprint"].get(key), fingerprint.get(key)
        if was != now:
            raise MismatchError(
                f"the run was started with {key} = {was}, now it is {now}",
                where=path,
                advice="use the same options and data, or remove the checkpoint to start again",
            )
    model.load_stored_state(_under(tensors, "model."))
    optimiser_state = optimiser.state_dict()
    for name, tensor in _under(tensors, "optimizer.").items():
        i, _, field = name.partition(".")
        optimiser_state["state"].setdefault(int(i), {})[field] = tensor
    optimiser.load_state_dict(optimiser_state)
    return TrainingState(
        epoch=header["epoch"],
        step=header.get("step", 0),
        loss_sum=header.get("total", 0.0),
        rng_state=tensors.get("generator"),
        history=header["history"],
        best_epoch=header["best_epoch"],
        best=_under(tensors, "best."),
    )


def _under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
