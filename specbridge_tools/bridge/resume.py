"""Training checkpoints: everything that a killed run needs to end as if it had not been killed."""

import dataclasses

import torch

from specbridge_tools.bridge.checkpoint import read_tensors, write_tensors
from specbridge_tools.errors import MismatchError
from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.streams import output_path

FORMAT = "specbridge-training"
FORMAT_VERSION = 1


@dataclasses.dataclass
class Progress:
    """Where a run stands: `epoch` epochs are done, and `step` steps of the next, whose losses, each times its spectra,
    sum to `total`; `generator` is then the state of torch's random numbers. `history` has one dict an epoch, `best` the
    weights of its best epoch."""

    epoch: int = 0
    step: int = 0
    total: float = 0.0
    generator: torch.Tensor | None = None
    history: list = dataclasses.field(default_factory=list)
    best_epoch: int = 0
    best: dict = dataclasses.field(default_factory=dict)


def save_checkpoint(path, model, optimizer, progress, fingerprint):
    """Write weights, optimizer state and progress; `fingerprint` names data and options of the run."""
    tensors = {f"model.{name}": tensor for name, tensor in model.stored_state().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in progress.best.items()}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{i}.{name}": torch.as_tensor(value) for name, value in state.items()}
    if progress.generator is not None:
        tensors["generator"] = progress.generator
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created_by": CREATED_BY,
        "fingerprint": fingerprint,
        "epoch": progress.epoch,
        "step": progress.step,
        "total": progress.total,
        "history": progress.history,
        "best_epoch": progress.best_epoch,
    }
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    with output_path(path, force=True) as temporary:
        write_tensors(tensors, header, temporary)


def load_checkpoint(path, model, optimizer, fingerprint):
    """Restore model and optimizer in place -> `Progress`; `MismatchError` where data or options are others."""
    header, tensors = read_tensors(path, expected_format=FORMAT, version=FORMAT_VERSION)
    for key in sorted(set(fingerprint) | set(header["fingerprint"])):
        was, now = header["fingerprint"].get(key), fingerprint.get(key)
        if was != now:
            raise MismatchError(
                f"the run was started with {key} = {was}, now it is {now}",
                where=path,
                advice="use the same options and data, or remove the checkpoint to start anew",
            )
    model.load_stored_state(_part(tensors, "model."))
    state = optimizer.state_dict()
    for name, tensor in _part(tensors, "optimizer.").items():
        i, _, field = name.partition(".")
        state["state"].setdefault(int(i), {})[field] = tensor
    optimizer.load_state_dict(state)
    return Progress(
        epoch=header["epoch"],
        step=header.get("step", 0),
        total=header.get("total", 0.0),
        generator=tensors.get("generator"),
        history=header["history"],
        best_epoch=header["best_epoch"],
        best=_part(tensors, "best."),
    )


def _part(tensors, prefix):
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
