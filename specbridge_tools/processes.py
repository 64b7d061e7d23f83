"""Training in several processes: each reads a part of every batch, all take the same steps. torchrun starts them.

The losses see the whole batch: vectors are gathered from all processes, so that the molecules of the others are
negatives too. A process knows the gradient of its own vectors only; the sum over processes is the gradient of the whole
batch, the same as in one process but for rounding.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import torch
from torch import distributed

from specbridge_tools.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# one process may read or validate for long while the others wait
_TIMEOUT = datetime.timedelta(hours=12)


class TensorBatch(Protocol):
    """A dataclass of tensors or None, with one row a spectrum; but `scale` is the same in all processes."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def spectra(self) -> torch.Tensor: ...

    @property
    def scale(self) -> torch.Tensor: ...


Value = TypeVar("Value")
Batch = TypeVar("Batch", bound=TensorBatch)


class Processes:
    """The processes that train together; here, this one alone.

    Attributes:
        rank: Number of this process, from 0.
        world_size: How many there are.
    """

    rank = 0
    world_size = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and logs."""
        return self.rank == 0

    def shard(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of a batch that this process reads."""
        return rows

    def seed(self, *numbers: int) -> tuple[int, ...]:
        """A seed that differs between processes, made of numbers that do not."""
        return numbers

    def gather(self, batch: Batch) -> Batch:
        """The batches of all processes as one; only the rows of this process have a gradient."""
        return batch

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace the gradients in each process by their sum over all."""

    def broadcast(self, value: Value) -> Value:
        """The plain value that the first process has."""
        return value

    def barrier(self) -> None:
        """Wait until all processes are here."""


ALONE = Processes()


class DistributedProcesses(Processes):
    """The processes that train together, seen from one of them."""

    def __init__(self, device: torch.device) -> None:
        self.rank = distributed.get_rank()
        self.world_size = distributed.get_world_size()
        self._device = device

    def shard(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        # of a batch with fewer rows than processes, some rows are read by several
        rows = rows if len(rows) >= self.world_size else rows.repeat(self.world_size)[: self.world_size]
        return rows[self.rank :: self.world_size]

    def seed(self, *numbers: int) -> tuple[int, ...]:
        return (*numbers, self.rank)

    def gather(self, batch: Batch) -> Batch:
        sizes = self._all_sizes(len(batch.spectra))
        tensors = {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
        values = {
            name: self._gathered(tensor, sizes)
            for name, tensor in tensors.items()
            if tensor is not None and name != "scale"
        }
        # every process has the whole gradient of the scale, and they are summed
        scale = batch.scale / self.world_size
        return dataclasses.replace(batch, **values, scale=scale + batch.scale.detach() - scale.detach())

    def sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        gradients = [torch.zeros_like(parameter) if parameter.grad is None else parameter.grad for parameter in trained]
        summed = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(summed)
        sizes = [parameter.numel() for parameter in trained]
        for parameter, gradient in zip(trained, summed.split(sizes), strict=True):
            parameter.grad = gradient.view_as(parameter)

    def broadcast(self, value: Value) -> Value:
        values = [value]
        distributed.broadcast_object_list(values, device=self._device)
        return values[0]

    def barrier(self) -> None:
        distributed.barrier()

    def _all_sizes(self, size: int) -> list[int]:
        sizes = torch.zeros(self.world_size, dtype=torch.int64, device=self._device)
        sizes[self.rank] = size
        distributed.all_reduce(sizes)
        return sizes.tolist()

    def _gathered(self, tensor: torch.Tensor, sizes: list[int]) -> torch.Tensor:
        """Rows of all processes, in the order of their ranks; only those of this process have a gradient."""
        padded = tensor.detach().new_zeros((max(sizes), *tensor.shape[1:]))
        padded[: len(tensor)] = tensor.detach()
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded)
        parts = [part[:size] for part, size in zip(parts, sizes, strict=True)]
        parts[self.rank] = tensor
        return torch.cat(parts)


def backend_for(device: torch.device) -> str:
    """What connects processes: nccl between GPUs, gloo on the CPU."""
    return "nccl" if device.type == "cuda" else "gloo"


@contextlib.contextmanager
def open_processes(device: torch.device) -> Iterator[tuple[Processes, torch.device]]:
    """Yield the processes that torchrun has started, or this one alone, and the device of this process.

    If a machine has several GPUs, each process on it takes one.

    Raises:
        UsageError: If there are more processes on this machine than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield ALONE, device
        return
    if device.type == "cuda":
        number = int(os.environ["LOCAL_RANK"])
        if number >= torch.cuda.device_count():
            raise UsageError(f"no GPU for process {number} of this machine", advice="start one process per GPU")
        device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    distributed.init_process_group(backend_for(device), timeout=_TIMEOUT)
    processes = DistributedProcesses(device)
    yield processes, device
    # else the process that ends first would cut off the others
    processes.barrier()
    distributed.destroy_process_group()


@contextlib.contextmanager
def local_processes(rank: int, world_size: int, meeting: str | os.PathLike[str]) -> Iterator[Processes]:
    """Yield the processes of this machine that train together on its CPU.

    Args:
        rank: Number of this one, from 0.
        world_size: How many there are.
        meeting: A file through which they find each other. None of that name may be left by others.
    """
    distributed.init_process_group(
        "gloo", init_method=f"file://{os.path.abspath(meeting)}", rank=rank, world_size=world_size, timeout=_TIMEOUT
    )
    processes = DistributedProcesses(torch.device("cpu"))
    yield processes
    processes.barrier()
    distributed.destroy_process_group()
