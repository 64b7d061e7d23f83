"""The training loop."""

from __future__ import annotations

import dataclasses
import logging
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.cached_features import CachedFeatures
from specbridge_tools.bridge.losses import TrainingLoss
from specbridge_tools.bridge.model import AlignedModel
from specbridge_tools.bridge.pairs import Pairs
from specbridge_tools.bridge.resume import TrainingState, load_checkpoint, save_checkpoint
from specbridge_tools.bridge.sampling import epoch_batches, make_batch
from specbridge_tools.bridge.validation import rank_among_candidates
from specbridge_tools.device import warn_of_slow_bfloat16
from specbridge_tools.encoders.base import RecomputingEncoder
from specbridge_tools.errors import DataError
from specbridge_tools.interrupts import held
from specbridge_tools.processes import ALONE, Processes
from specbridge_tools.progress import SilentProgress

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained.

    Attributes:
        losses: Name -> weight.
        epochs: At most.
        batch_size: Spectra in a step, of all processes together.
        learning_rate: At its highest.
        weight_decay: Of matrices.
        warmup_share: Share of the run in which the learning rate rises.
        clip_norm: Highest norm of the gradient.
        n_decoys: Drawn for each spectrum and step.
        spectra_per_molecule: At most, in an epoch.
        unfrozen_blocks: Last blocks of the spectral encoder that learn, negative for all of it.
        train_molecule_head: Whether the molecule head learns.
        train_projector: Whether the projector learns.
        augmentation: Of the spectra.
        select_by: The validation metric whose best epoch is kept, one of `validation.METRICS`.
        patience: Epochs without a better value of it before the run ends, 0 for no early end.
        bfloat16: Precision of the spectral encoder.
        recompute: Whether activations are computed twice, to save memory.
        seed: Of everything that is drawn.
    """

    losses: Mapping[str, float]
    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 5e-4
    weight_decay: float = 0.05
    warmup_share: float = 0.05
    clip_norm: float = 1.0
    n_decoys: int = 24
    spectra_per_molecule: int = 4
    unfrozen_blocks: int = -1
    train_molecule_head: bool = True
    train_projector: bool = True
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    select_by: str = "mrr"
    patience: int = 0
    bfloat16: bool = False
    recompute: bool = False
    seed: int = 0


@dataclasses.dataclass
class _Run:
    """All that a step needs; `model`, `optimiser` and `state` change with each."""

    model: AlignedModel
    pairs: Pairs
    options: TrainingOptions
    optimiser: torch.optim.Optimizer
    loss: TrainingLoss
    state: TrainingState
    display: SilentProgress
    cached: CachedFeatures | None
    processes: Processes

    @property
    def is_over(self) -> bool:
        state, patience = self.state, self.options.patience
        is_stale = bool(patience and state.best_epoch and state.epoch - state.best_epoch >= patience)
        return state.epoch >= self.options.epochs or is_stale


def train(
    model: AlignedModel,
    training: Pairs,
    validation: Pairs | None,
    options: TrainingOptions,
    *,
    checkpoint: str | os.PathLike[str],
    fingerprint: Mapping[str, object],
    resume: bool = False,
    display: SilentProgress | None = None,
    cached: CachedFeatures | None = None,
    processes: Processes = ALONE,
) -> list[dict[str, float]]:
    """Train a model in place, and leave the weights of its best epoch in it.

    The result depends on data, options, seed and number of processes alone, whether or not the run was interrupted
    (on one machine, on the CPU).

    Args:
        model: To train.
        training: Its spectra are learned.
        validation: The best epoch has the highest `select_by` on these; None: the last is the best.
        options: How to train.
        checkpoint: Written after every epoch, and when a signal ends the run.
        fingerprint: Plain values that must be the same when a run is resumed.
        resume: Whether to go on from the checkpoint, if there is one.
        display: Shows progress in epochs.
        cached: Of the training spectra.
        processes: That train together; all read the checkpoint, the first writes it.

    Returns:
        One row of metrics per epoch.
    """
    choose_trained(model, options)
    if options.bfloat16:
        warn_of_slow_bfloat16(model.log_scale.device)
    optimiser = _optimiser(model, options)
    state = _first_state(model, optimiser, checkpoint, fingerprint, resume)
    processes.barrier()
    loss, display = TrainingLoss(options.losses), display or SilentProgress()
    run = _Run(model, training, options, optimiser, loss, state, display, cached, processes)
    display.advance(state.epoch)
    try:
        while not run.is_over:
            row = _train_and_validate(run, validation)
            if processes.is_first:
                save_checkpoint(checkpoint, model, optimiser, state, fingerprint)
            logger.info(" ".join(f"{key} {_short(value)}" for key, value in row.items()))
    except (SystemExit, RuntimeError):
        # a signal, a full GPU, another process that has ended: keep what is done so far
        if processes.is_first:
            save_checkpoint(checkpoint, model, optimiser, state, fingerprint)
        raise
    if state.best:
        model.load_stored_state(state.best)
    model.eval()
    return state.history


def _first_state(
    model: AlignedModel,
    optimiser: torch.optim.Optimizer,
    checkpoint: str | os.PathLike[str],
    fingerprint: Mapping[str, object],
    resume: bool,
) -> TrainingState:
    if not (resume and Path(checkpoint).exists()):
        return TrainingState()
    state = load_checkpoint(checkpoint, model, optimiser, fingerprint)
    logger.info("going on after epoch %d and %d steps of %s", state.epoch, state.step, checkpoint)
    return state


def _train_and_validate(run: _Run, validation: Pairs | None) -> dict[str, float]:
    """One epoch, or what is left of it; returns its row of the history."""
    started = time.monotonic()
    loss = _train_epoch(run)
    metrics: dict[str, float] = {}
    if validation is not None:
        # the others need no metrics of their own
        ranked = rank_among_candidates(run.model, validation) if run.processes.is_first else {}
        metrics = run.processes.broadcast(ranked)
    seconds = round(time.monotonic() - started, 1)
    row = {"epoch": run.state.epoch + 1, "train_loss": loss, **metrics, "seconds": seconds}
    with held():
        _end_epoch(run, row)
    notes = {key: _short(value) for key, value in metrics.items()}
    run.display.note(epoch=run.state.epoch, loss=_short(loss), **notes)
    return row


def _end_epoch(run: _Run, row: dict[str, float]) -> None:
    model, state, metric = run.model, run.state, run.options.select_by
    state.epoch, state.step, state.loss_sum, state.rng_state = state.epoch + 1, 0, 0.0, None
    state.history.append(row)
    if not state.best or metric not in row or row[metric] > state.history[state.best_epoch - 1][metric]:
        state.best_epoch = state.epoch
        frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
        stored = model.stored_state().items()
        state.best = {name: tensor.detach().cpu().clone() for name, tensor in stored if name not in frozen}


def _train_epoch(run: _Run) -> float:
    """The steps of an epoch, or those that are left of it; returns the mean loss over its spectra."""
    options, state, epoch = run.options, run.state, run.state.epoch + 1
    run.model.train()
    if state.rng_state is None:
        torch.manual_seed(options.seed * 1_000_003 + epoch)  # dropout
    else:
        _set_rng_state(run.model, state.rng_state)
    batches = epoch_batches(
        run.pairs,
        batch_size=options.batch_size,
        spectra_per_molecule=options.spectra_per_molecule,
        seed=options.seed,
        epoch=epoch,
    )
    for step in range(state.step, len(batches)):
        share = (epoch - 1 + step / len(batches)) / options.epochs
        for group in run.optimiser.param_groups:
            group["lr"] = options.learning_rate * schedule(share, options.warmup_share)
        _train_step(run, batches[step], epoch, step)
        run.display.advance(1 / len(batches))
    return state.loss_sum / sum(map(len, batches))


def _train_step(run: _Run, rows: NDArray[np.int64], epoch: int, step: int) -> None:
    """One step of the optimiser over the spectra `rows`; each process encodes its shard of them."""
    model, options, processes = run.model, run.options, run.processes
    seed = processes.seed(options.seed, epoch, step)
    if processes.world_size > 1:
        # the checkpoint holds the random state of the first process alone: each begins every step anew
        torch.manual_seed(np.random.default_rng(seed).integers(1 << 62).item())
    batch = make_batch(
        model,
        run.pairs,
        processes.shard(rows),
        n_decoys=options.n_decoys if run.loss.needs_decoys else 0,
        augmentation=options.augmentation,
        bfloat16=options.bfloat16,
        seed=seed,
        cached=run.cached,
    )
    loss = run.loss(processes.gather(batch))
    if not torch.isfinite(loss):
        raise DataError(f"the loss is {loss.item()} in epoch {epoch}", advice="lower --learning-rate")
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    processes.sum_gradients(model.parameters())
    torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
    with held():
        run.optimiser.step()
        run.state.step = step + 1
        run.state.loss_sum += loss.item() * len(rows)
        run.state.rng_state = _rng_state(model)


def _rng_state(model: AlignedModel) -> torch.Tensor:
    device = model.log_scale.device
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_rng_state(model: AlignedModel, state: torch.Tensor) -> None:
    device = model.log_scale.device
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


def schedule(share: float, warmup_share: float) -> float:
    """Share of the run that is done -> factor on the learning rate: a linear rise, then half a cosine down to 0."""
    if share < warmup_share:
        return (share + 1e-3) / (warmup_share + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (share - warmup_share) / (1 - warmup_share)))


def choose_trained(model: AlignedModel, options: TrainingOptions) -> None:
    """Set what learns: `requires_grad` of each parameter."""
    if options.recompute and isinstance(model.encoder, RecomputingEncoder):
        model.encoder.recompute_activations()
    model.encoder.freeze_below(options.unfrozen_blocks)
    model.projector.requires_grad_(options.train_projector)
    if model.molecule_head is not None:
        model.molecule_head.requires_grad_(options.train_molecule_head)


def _optimiser(model: AlignedModel, options: TrainingOptions) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), fused=True)


def _short(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
