"""Training in several processes, as torchrun starts them: each reads a part of every batch, all take the same steps.

The losses see the whole batch: vectors are gathered from all processes, so that molecules of the others count as
negatives, too. Of these each process knows the gradient of its own; their sum is the gradient of the whole batch, as
one process would have it, but for rounding.
"""

import contextlib
import dataclasses
import datetime
import os

import torch
from torch import distributed

from specbridge_tools.errors import UsageError

# one process may read or validate for long while the others wait
_PATIENCE = datetime.timedelta(hours=12)


class Processes:
    """This process alone."""

    rank = 0
    world_size = 1

    @property
    def is_first(self):
        """Whether this is the process that writes and tells."""
        return self.rank == 0

    def shard(self, rows):
        """The rows of a batch that this process reads."""
        return rows

    def seed(self, *numbers):
        """A seed of its own for each process."""
        return numbers

    def gather(self, batch):
        """The `Batch` of all processes, of which only the own part has a gradient."""
        return batch

    def sum_gradients(self, parameters):
        """Make the gradients those of the whole batch."""

    def broadcast(self, value):
        """What the first process has for a plain value."""
        return value

    def barrier(self):
        """Wait for all processes."""


ALONE = Processes()


class DistributedProcesses(Processes):
    """One of several that torchrun has started."""

    def __init__(self, device):
        self.rank = distributed.get_rank()
        self.world_size = distributed.get_world_size()
        self._device = device

    def shard(self, rows):
        # a batch with fewer rows than processes is read in part by several
        rows = rows if len(rows) >= self.world_size else rows.repeat(self.world_size)[: self.world_size]
        return rows[self.rank :: self.world_size]

    def seed(self, *numbers):
        return (*numbers, self.rank)

    def gather(self, batch):
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

    def sum_gradients(self, parameters):
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in trained]
        together = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(together)
        for parameter, gradient in zip(trained, together.split([each.numel() for each in trained]), strict=True):
            parameter.grad = gradient.view_as(parameter)

    def broadcast(self, value):
        values = [value]
        distributed.broadcast_object_list(values, device=self._device)
        return values[0]

    def barrier(self):
        distributed.barrier()

    def _all_sizes(self, size):
        sizes = torch.zeros(self.world_size, dtype=torch.int64, device=self._device)
        sizes[self.rank] = size
        distributed.all_reduce(sizes)
        return sizes.tolist()

    def _gathered(self, tensor, sizes):
        """Rows of all processes, in their order; the others' without gradient."""
        padded = tensor.detach().new_zeros((max(sizes), *tensor.shape[1:]))
        padded[: len(tensor)] = tensor.detach()
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded)
        parts = [part[:size] for part, size in zip(parts, sizes, strict=True)]
        parts[self.rank] = tensor
        return torch.cat(parts)


def backend_for(device):
    """What connects processes: nccl between GPUs, gloo on the CPU."""
    return "nccl" if device.type == "cuda" else "gloo"


@contextlib.contextmanager
def open_processes(device):
    """Yield (`Processes`, the device of this one): all that torchrun has started, or this process alone.

    They are connected as `backend_for` says. Of several GPUs of a machine each process has one of its own.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield ALONE, device
        return
    if device.type == "cuda":
        number = int(os.environ["LOCAL_RANK"])
        if number >= torch.cuda.device_count():
            raise UsageError(f"no GPU for process {number} of this machine", advice="start one process a GPU")
        device = torch.device("cuda", number)
        torch.cuda.set_device(device)
    distributed.init_process_group(backend_for(device), timeout=_PATIENCE)
    processes = DistributedProcesses(device)
    yield processes, device
    # else one that ends first takes its connections from the others
    processes.barrier()
    distributed.destroy_process_group()
