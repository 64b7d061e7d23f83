"""The training loop."""

import dataclasses
import logging
import math
import time
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.losses import TrainingLoss
from specbridge_tools.bridge.resume import Progress, load_checkpoint, save_checkpoint
from specbridge_tools.bridge.sampling import epoch_batches, make_batch
from specbridge_tools.bridge.validation import rank_among_candidates
from specbridge_tools.encoders.base import RecomputingEncoder
from specbridge_tools.errors import DataError
from specbridge_tools.interrupts import held
from specbridge_tools.processes import ALONE
from specbridge_tools.progress import SilentProgress

logger = logging.getLogger(__name__)
SELECTION = "mrr"


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """losses name -> weight; patience in epochs without a better validation MRR, 0 for never stopping early;
    unfrozen_blocks of the spectral encoder, negative for all of it; recompute activations to save memory."""

    losses: dict
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
    patience: int = 0
    bfloat16: bool = False
    recompute: bool = False
    seed: int = 0


def train(
    model,
    training,
    validation,
    options,
    *,
    checkpoint,
    fingerprint,
    resume=False,
    display=None,
    frozen=None,
    processes=ALONE,
):
    """Train `model` in place and leave the weights of the best epoch in it -> list of one dict an epoch.

    training, validation  `Pairs`; the best epoch has the highest validation MRR
    checkpoint            path, written after every epoch and when a signal ends the run; read first with `resume`
    fingerprint           plain values that must be the same when a run goes on
    display               object with `advance`, in epochs, and `note` (`progress.progress`)
    frozen                `FrozenFeatures` of the training spectra, or None
    processes             `Processes` that train together; all read the checkpoint, the first writes it

    The result depends on data, options, seed and number of processes alone, not on being ended or killed in between
    (same machine, CPU).
    """
    choose_trained(model, options)
    optimizer = _optimizer(model, options)
    state = Progress()
    if resume and Path(checkpoint).exists():
        state = load_checkpoint(checkpoint, model, optimizer, fingerprint)
        logger.info("going on after epoch %d and %d steps of %s", state.epoch, state.step, checkpoint)
    processes.barrier()
    display = display or SilentProgress()
    display.advance(state.epoch)
    loss_of = TrainingLoss(options.losses)
    try:
        while state.epoch < options.epochs and not _is_stale(state, options):
            started = time.monotonic()
            loss = _train_epoch(model, training, options, optimizer, loss_of, state, display, frozen, processes)
            row = _validated(model, validation, state.epoch + 1, loss, processes)
            row["seconds"] = round(time.monotonic() - started, 1)
            with held():
                _end_epoch(model, state, row)
            shown = {key: _short(value) for key, value in row.items()}
            noted = {
                "epoch": state.epoch,
                "loss": shown["train_loss"],
                **{key: shown[key] for key in list(shown)[2:-1]},
            }
            display.note(**noted)
            if processes.is_first:
                save_checkpoint(checkpoint, model, optimizer, state, fingerprint)
            logger.info(" ".join(f"{key} {value}" for key, value in shown.items()))
    except (SystemExit, RuntimeError):
        # a signal, a full GPU, another process that is gone: what is done so far is not lost
        if processes.is_first:
            save_checkpoint(checkpoint, model, optimizer, state, fingerprint)
        raise
    if state.best:
        model.load_stored_state(state.best)
    model.eval()
    return state.history


def _validated(model, validation, epoch, loss, processes):
    """The row of an epoch, by the first process."""
    metrics = rank_among_candidates(model, validation) if processes.is_first else None
    return {"epoch": epoch, "train_loss": loss, **processes.broadcast(metrics)}


def _end_epoch(model, state, row):
    state.epoch, state.step, state.total, state.generator = state.epoch + 1, 0, 0.0, None
    state.history.append(row)
    if not state.best or row[SELECTION] > state.history[state.best_epoch - 1][SELECTION]:
        state.best_epoch = state.epoch
        state.best = {name: tensor.detach().cpu().clone() for name, tensor in model.stored_state().items()}


def _train_epoch(model, pairs, options, optimizer, loss_of, state, display, frozen, processes):
    """One pass over the batches of an epoch, or what is left of it -> mean loss."""
    model.train()
    epoch = state.epoch + 1
    if state.generator is None:
        torch.manual_seed(options.seed * 1_000_003 + epoch)  # dropout
    else:
        _set_generator(model, state.generator)
    batches = epoch_batches(
        pairs,
        batch_size=options.batch_size,
        spectra_per_molecule=options.spectra_per_molecule,
        seed=options.seed,
        epoch=epoch,
    )
    for step in range(state.step, len(batches)):
        share = (epoch - 1 + step / len(batches)) / options.epochs
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * schedule(share, options.warmup_share)
        if processes.world_size > 1:
            # no state of theirs is in the checkpoint
            torch.manual_seed(np.random.default_rng(processes.seed(options.seed, epoch, step)).integers(1 << 62).item())
        batch = make_batch(
            model,
            pairs,
            processes.shard(batches[step]),
            n_decoys=options.n_decoys if loss_of.needs_decoys else 0,
            augmentation=options.augmentation,
            bfloat16=options.bfloat16,
            seed=processes.seed(options.seed, epoch, step),
            frozen=frozen,
        )
        loss = loss_of(processes.gather(batch))
        if not torch.isfinite(loss):
            raise DataError(f"the loss is {loss.item()} in epoch {epoch}", advice="lower --learning-rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        processes.sum_gradients(model.parameters())
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        with held():
            optimizer.step()
            state.step = step + 1
            state.total += loss.item() * len(batches[step])
            state.generator = _generator(model)
        display.advance(1 / len(batches))
    return state.total / sum(map(len, batches))


def _generator(model):
    device = model.log_scale.device
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_generator(model, generator):
    device = model.log_scale.device
    torch.cuda.set_rng_state(generator, device) if device.type == "cuda" else torch.set_rng_state(generator)


def schedule(share, warmup_share):
    """Share of the run done -> factor on the learning rate: linear warm-up, then half a cosine down to 0."""
    if share < warmup_share:
        return (share + 1e-3) / (warmup_share + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (share - warmup_share) / (1 - warmup_share)))


def choose_trained(model, options):
    """Set what learns: `requires_grad` of each parameter."""
    if options.recompute and isinstance(model.encoder, RecomputingEncoder):
        model.encoder.recompute_activations()
    model.encoder.freeze_below(options.unfrozen_blocks)
    model.projector.requires_grad_(options.train_projector)
    if model.molecule_head is not None:
        model.molecule_head.requires_grad_(options.train_molecule_head)


def _optimizer(model, options):
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), fused=True)


def _is_stale(state, options):
    return bool(options.patience and state.best_epoch and state.epoch - state.best_epoch >= options.patience)


def _short(value):
    return f"{value:.4f}" if isinstance(value, float) else str(value)
