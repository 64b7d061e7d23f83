"""Training the ranker: the truth against decoys of its mass."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.fragments.batch import CandidateArrays, CandidateBatch
from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, COST_LIMIT
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork
from specbridge_tools.fragmentation.peaks.prepare import (
    ENERGY,
    NO_ENERGY,
    RELATIVE_INTENSITY,
    Peaks,
    relative_intensity_features,
)
from specbridge_tools.fragmentation.training.checkpoint import load_state, save_state
from specbridge_tools.processes import ALONE, Processes
from specbridge_tools.threads import one_blas_thread

logger = logging.getLogger(__name__)
CONFIG = {"capacity": CAPACITY, "limit": COST_LIMIT, "cosine_weight": 0.0, "fragment_weight": 1.0}
"""Configuration of a ranker whose score is the fragment score."""


@dataclasses.dataclass(frozen=True, eq=False)
class Example:
    """A molecule, its decoys and some of its spectra.

    Attributes:
        inchikey14: First block of the molecule's InChIKey.
        truth: The molecule, cut.
        decoys: SMILES of others of its mass, cut where they are needed: that takes a twentieth of the time of a step,
            and thousands of molecules of hundreds of decoys would not fit into memory.
        peaks: At least one.
    """

    inchikey14: str
    truth: CandidateArrays
    decoys: Sequence[str]
    peaks: Sequence[Peaks]

    def candidates(self, n_decoys: int | None = None, rng: np.random.Generator | None = None) -> list[CandidateArrays]:
        """The truth, then its decoys in order, or so many drawn ones; those that cannot be cut are passed over."""
        n = len(self.decoys)
        order: Sequence[int] = range(n) if rng is None else rng.permutation(n).tolist()
        found = [self.truth]
        for row in order:
            if n_decoys is not None and len(found) > n_decoys:
                break
            with contextlib.suppress(DataError):
                found.append(cut(self.decoys[row]))
        return found


def cut(smiles: str) -> CandidateArrays:
    """The fragments of a molecule; raises `DataError` where it cannot be read or has several parts."""
    return Ranker([], CONFIG).candidate(smiles)


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes:
        epochs: Over the molecules.
        molecules: In one step.
        spectra: Of each molecule in one step.
        decoys: Of each molecule in one step, drawn anew from all.
        learning_rate: The highest.
        weight_decay: Of AdamW.
        likelihood_weight: Of the likelihood of the truth's peaks, beside the ranking loss.
        hide_energy: How often the collision energy is hidden.
        drop_peaks: Share of the peaks that are left out.
        move_intensity: Standard deviation of the natural logarithm by which the others' intensities are moved.
        teacher_share: Share of a teacher's probabilities in what is to be learned; the rest is the truth.
        teacher_temperature: What the scores of teacher and network are divided by where they are compared, so that
            differences between improbable candidates count as well.
        seed: Of all that is drawn.
    """

    epochs: int = 4
    molecules: int = 4
    spectra: int = 2
    decoys: int = 20
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    likelihood_weight: float = 0.05
    hide_energy: float = 0.3
    drop_peaks: float = 0.0
    move_intensity: float = 0.0
    teacher_share: float = 0.7
    teacher_temperature: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.epochs, self.molecules, self.spectra, self.decoys)
        shares = (self.hide_energy, self.drop_peaks, self.teacher_share)
        if min(counts) < 1 or min(shares) < 0 or max(shares) > 1 or self.learning_rate <= 0:
            raise ValueError(f"counts and learning rate are above 0 and shares in [0, 1], but this is {self}")


def train(
    network: TrainableNetwork,
    examples: Sequence[Example],
    options: TrainingOptions,
    *,
    teacher: Ranker | None = None,
    after_epoch: Callable[[int, float], None] | None = None,
    state_path: str | os.PathLike[str] | None = None,
    processes: Processes = ALONE,
) -> None:
    """Train in place: the loss of a spectrum is the cross entropy of the truth in a softmax over the candidates.

    Args:
        network: To train.
        examples: Molecules to learn from.
        options: How to train.
        teacher: Networks whose mean the network is to learn as well (distillation; Hinton et al., arXiv 1503.02531).
        after_epoch: Called with the number of each epoch, from 0, and its mean loss over the examples of the first
            process, which calls it.
        state_path: A file that the first process writes after each epoch. Where it exists, the training continues from
            it: each epoch draws its random numbers from seed, epoch and process alone, so that such a run ends as one
            that was not interrupted.
        processes: Share the examples of each step.
    """
    optimiser = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    steps = -(-len(examples) // options.molecules)
    first = 0
    if state_path is not None and Path(state_path).exists():
        first = load_state(network, optimiser, state_path) + 1
    for epoch in range(first, options.epochs):
        started, losses = time.monotonic(), []
        order = np.random.default_rng((options.seed, epoch)).permutation(len(examples))
        rng = np.random.default_rng((*processes.seed(options.seed, epoch), 1))
        torch.manual_seed(int(rng.integers(2**31)))
        for step, start in enumerate(range(0, len(order), options.molecules)):
            share = _one_cycle((epoch * steps + step) / (options.epochs * steps))
            optimiser.param_groups[0]["lr"] = options.learning_rate * share
            rows = order[start : start + options.molecules]
            chosen = [examples[index] for index in processes.shard(rows)]
            losses += _step(network, optimiser, chosen, options, rng, len(rows), processes, teacher)
        if processes.is_first:
            loss = float(np.mean(losses))
            logger.debug("epoch %d loss %.4f %.0f s", epoch, loss, time.monotonic() - started)
            if state_path is not None:
                save_state(network, optimiser, epoch, state_path)
            if after_epoch is not None:
                after_epoch(epoch, loss)


def _one_cycle(done: float) -> float:
    """Share of the highest learning rate when a share `done` of the training is done: a rise, then half a cosine."""
    return max(1e-3, min((done + 1e-3) / 0.08, 0.5 * (1 + math.cos(math.pi * done))))


def _step(
    network: TrainableNetwork,
    optimiser: torch.optim.Optimizer,
    chosen: Sequence[Example],
    options: TrainingOptions,
    rng: np.random.Generator,
    n_examples: int,
    processes: Processes,
    teacher: Ranker | None,
) -> list[float]:
    """One step of the optimiser over `n_examples`, of which `chosen` are this process's; returns their losses."""
    optimiser.zero_grad()
    losses = []
    for example in chosen:
        loss = _example_loss(network, example, options, rng, teacher)
        (loss / n_examples).backward()
        losses.append(loss.item())
    processes.sum_gradients(network.parameters())
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return losses


def _example_loss(
    network: TrainableNetwork,
    example: Example,
    options: TrainingOptions,
    rng: np.random.Generator,
    teacher: Ranker | None,
) -> torch.Tensor:
    batch = CandidateBatch(example.candidates(options.decoys, rng))
    encoded = network.encode_candidates(batch)
    chosen = []
    for index in rng.permutation(len(example.peaks))[: options.spectra]:
        peaks = _varied(example.peaks[index], options, rng)
        chosen.append(_without_energy(peaks) if rng.random() < options.hide_energy else peaks)
    targets = _targets(batch, chosen, teacher, options.teacher_temperature)
    total = torch.tensor(0.0)
    for peaks, target in zip(chosen, targets, strict=True):
        scores, log_likelihood = network(batch, encoded, peaks)
        loss = -torch.log_softmax(scores, 0)[0]
        if target is not None:
            temperature = options.teacher_temperature
            # the gradient of a softened softmax is smaller by the square of the temperature
            softened = -torch.log_softmax(scores / temperature, 0) @ target * temperature**2
            loss = (1 - options.teacher_share) * loss + options.teacher_share * softened
        share = torch.tensor(peaks.weight / peaks.weight.sum())
        likelihood = log_likelihood[0] @ share
        total = total + loss - options.likelihood_weight * likelihood
    return total / len(chosen)


def _targets(
    batch: CandidateBatch, spectra: Sequence[Peaks], teacher: Ranker | None, temperature: float
) -> list[torch.Tensor] | list[None]:
    """The probabilities (B,) that a teacher gives the candidates, for each spectrum; None without one."""
    if teacher is None:
        return [None] * len(spectra)
    with one_blas_thread():
        evidence = teacher.evidence([teacher.encode(each) for each in batch.candidates], spectra)
    return [torch.softmax(torch.tensor(each.score).float() / temperature, 0) for each in evidence]


def _without_energy(peaks: Peaks) -> Peaks:
    """The peaks of a spectrum whose collision energy is not known."""
    context = peaks.context.copy()
    context[ENERGY], context[NO_ENERGY] = 0.0, 1.0
    return dataclasses.replace(peaks, context=context)


def _varied(peaks: Peaks, options: TrainingOptions, rng: np.random.Generator) -> Peaks:
    """The peaks with some left out, never all, and the others' intensities moved."""
    stays = rng.random(len(peaks.mz)) >= options.drop_peaks
    if not stays.any():
        stays[:] = True
    factor = np.exp(options.move_intensity * rng.standard_normal(stays.sum()))
    intensity = peaks.intensity[stays] * factor
    features = peaks.features[stays].copy()
    relative = intensity / intensity.max()
    features[:, RELATIVE_INTENSITY] = relative_intensity_features(relative)
    weight = np.sqrt(intensity / intensity.sum()).astype(np.float32)
    return dataclasses.replace(
        peaks,
        mz=peaks.mz[stays],
        intensity=intensity,
        at_precursor=peaks.at_precursor[stays],
        weight=weight,
        features=features,
    )
