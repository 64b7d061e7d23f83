"""The training loop."""

import dataclasses
import logging
import math
import time
from pathlib import Path

import torch

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.losses import TrainingLoss
from specbridge_tools.bridge.resume import Progress, load_checkpoint, save_checkpoint
from specbridge_tools.bridge.sampling import epoch_batches, make_batch
from specbridge_tools.bridge.validation import rank_among_candidates
from specbridge_tools.errors import DataError
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


def train(model, training, validation, options, *, checkpoint, fingerprint, resume=False, display=None, frozen=None):
    """Train `model` in place and leave the weights of the best epoch in it -> list of one dict an epoch.

    training, validation  `Pairs`; the best epoch has the highest validation MRR
    checkpoint            path, written after every epoch; read first with `resume`
    fingerprint           plain values that must be the same when a run goes on
    display               object with `advance`, in epochs, and `note` (`progress.progress`)
    frozen                `FrozenFeatures` of the training spectra, or None

    The result depends on data, options and seed alone, not on being killed in between (same machine, CPU).
    """
    choose_trained(model, options)
    optimizer = _optimizer(model, options)
    state = Progress()
    if resume and Path(checkpoint).exists():
        state = load_checkpoint(checkpoint, model, optimizer, fingerprint)
        logger.info("going on after epoch %d of %s", state.epoch, checkpoint)
    display = display or SilentProgress()
    display.advance(state.epoch)
    loss_of = TrainingLoss(options.losses)
    while state.epoch < options.epochs and not _is_stale(state, options):
        started = time.monotonic()
        state.epoch += 1
        loss = _train_epoch(model, training, options, optimizer, loss_of, state.epoch, display, frozen)
        metrics = rank_among_candidates(model, validation)
        display.note(epoch=state.epoch, loss=_short(loss), **{key: _short(value) for key, value in metrics.items()})
        row = {"epoch": state.epoch, "train_loss": loss, **metrics, "seconds": round(time.monotonic() - started, 1)}
        state.history.append(row)
        if not state.best or metrics[SELECTION] > state.history[state.best_epoch - 1][SELECTION]:
            state.best_epoch = state.epoch
            state.best = {name: tensor.detach().cpu().clone() for name, tensor in model.stored_state().items()}
        save_checkpoint(checkpoint, model, optimizer, state, fingerprint)
        logger.info(" ".join(f"{key} {_short(value)}" for key, value in row.items()))
    if state.best:
        model.load_stored_state(state.best)
    model.eval()
    return state.history


def _train_epoch(model, pairs, options, optimizer, loss_of, epoch, display, frozen=None):
    """One pass over the batches of an epoch -> mean loss."""
    model.train()
    torch.manual_seed(options.seed * 1_000_003 + epoch)  # dropout
    batches = epoch_batches(
        pairs,
        batch_size=options.batch_size,
        spectra_per_molecule=options.spectra_per_molecule,
        seed=options.seed,
        epoch=epoch,
    )
    total = 0.0
    for step, rows in enumerate(batches):
        share = (epoch - 1 + step / len(batches)) / options.epochs
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * schedule(share, options.warmup_share)
        batch = make_batch(
            model,
            pairs,
            rows,
            n_decoys=options.n_decoys if loss_of.needs_decoys else 0,
            augmentation=options.augmentation,
            bfloat16=options.bfloat16,
            seed=(options.seed, epoch, step),
            frozen=frozen,
        )
        loss = loss_of(batch)
        if not torch.isfinite(loss):
            raise DataError(f"the loss is {loss.item()} in epoch {epoch}", advice="lower --learning-rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip_norm)
        optimizer.step()
        total += loss.item() * len(rows)
        display.advance(1 / len(batches))
    return total / sum(map(len, batches))


def schedule(share, warmup_share):
    """Share of the run done -> factor on the learning rate: linear warm-up, then half a cosine down to 0."""
    if share < warmup_share:
        return (share + 1e-3) / (warmup_share + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (share - warmup_share) / (1 - warmup_share)))


def choose_trained(model, options):
    """Set what learns: `requires_grad` of each parameter."""
    if options.recompute and hasattr(model.encoder, "recompute_activations"):
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
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98))


def _is_stale(state, options):
    return bool(options.patience and state.best_epoch and state.epoch - state.best_epoch >= options.patience)


def _short(value):
    return f"{value:.4f}" if isinstance(value, float) else str(value)
