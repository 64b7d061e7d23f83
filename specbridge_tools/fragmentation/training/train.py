"""Training the ranker: the truth against decoys of its mass."""

import dataclasses
import logging
import math
import time
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.fragmentation.network.batch import CandidateArrays, join
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork
from specbridge_tools.fragmentation.peaks.prepare import RELATIVE_INTENSITY, Peaks, relative_intensity_features
from specbridge_tools.fragmentation.training.checkpoint import load_state, save_state
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts
from specbridge_tools.processes import ALONE

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Example:
    """A molecule, its decoys and some of its spectra: `candidates[0]` is the truth."""

    inchikey14: str
    candidates: list[CandidateArrays]
    peaks: list[Peaks]


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    epochs over the molecules; molecules in a step; spectra of each; decoys of each; highest learning rate; weight
    decay; weight of the likelihood of the truth's peaks beside the ranking loss; how often the energy is hidden;
    share of the peaks that are left out, and how far the others' intensities are moved (standard deviation of the
    natural logarithm).
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
    seed: int = 0


def train(
    network: TrainableNetwork,
    examples,
    options: TrainingOptions,
    *,
    after_epoch=None,
    state_path=None,
    processes=ALONE,
):
    """Train in place: the loss of a spectrum is the cross entropy of the truth in a softmax over the candidates.

    after_epoch(epoch) is called after each. Where there is a file at `state_path` the training goes on from it, and the
    file is renewed after each epoch: each epoch draws its random numbers from seed, epoch and process alone, so that
    such a run ends as one that was not interrupted. `processes` (`Processes`) share the examples of each step; the
    first of them calls after_epoch and writes the file.
    """
    optimiser = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    steps = -(-len(examples) // options.molecules)
    resumed = state_path is not None and Path(state_path).exists()
    first = load_state(network, optimiser, state_path) + 1 if resumed else 0
    for epoch in range(first, options.epochs):
        started, losses = time.monotonic(), []
        order = np.random.default_rng((options.seed, epoch)).permutation(len(examples))
        random = np.random.default_rng((*processes.seed(options.seed, epoch), 1))
        torch.manual_seed(int(random.integers(2**31)))
        for step, start in enumerate(range(0, len(order), options.molecules)):
            share = _one_cycle((epoch * steps + step) / (options.epochs * steps))
            optimiser.param_groups[0]["lr"] = options.learning_rate * share
            rows = order[start : start + options.molecules]
            chosen = [examples[index] for index in processes.shard(rows)]
            losses += _step(network, optimiser, chosen, options, random, len(rows), processes)
        if processes.is_first:
            _logger.info("epoch %d loss %.4f %.0f s", epoch, np.mean(losses), time.monotonic() - started)
            if after_epoch is not None:
                after_epoch(epoch)
            if state_path is not None:
                save_state(network, optimiser, epoch, state_path)


def _one_cycle(done):
    """Share of the highest learning rate, when a share `done` of the training is done: a rise, then half a cosine."""
    return max(1e-3, min((done + 1e-3) / 0.08, 0.5 * (1 + math.cos(math.pi * done))))


def _step(network, optimiser, chosen, options, random, n_examples, processes):
    """One step of the optimiser over `n_examples`, of which `chosen` are those of this process -> their losses."""
    optimiser.zero_grad()
    losses = []
    for example in chosen:
        loss = _example_loss(network, example, options, random)
        (loss / n_examples).backward()
        losses.append(loss.item())
    processes.sum_gradients(network.parameters())
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    return losses


def _example_loss(network, example, options, random):
    n_decoys = len(example.candidates) - 1
    decoys = 1 + random.permutation(n_decoys)[: options.decoys]
    batch = join([example.candidates[0], *(example.candidates[index] for index in decoys)])
    encoded = network.encode(batch)
    chosen = random.permutation(len(example.peaks))[: options.spectra]
    total = 0.0
    for index in chosen:
        peaks = _varied(example.peaks[index], options, random)
        hidden = random.random() < options.hide_energy
        scores, log_likelihood = network(batch, encoded, peaks, hide_energy=hidden)
        share = torch.tensor(peaks.weight / peaks.weight.sum())
        likelihood = log_likelihood[0] @ share
        total = total - torch.log_softmax(scores, 0)[0] - options.likelihood_weight * likelihood
    return total / len(chosen)


def _varied(peaks, options, random):
    """`Peaks` with some left out, never all, and the others' intensities moved."""
    kept = random.random(len(peaks.mz)) >= options.drop_peaks
    if not kept.any():
        kept[:] = True
    factor = np.exp(options.move_intensity * random.standard_normal(kept.sum()))
    intensity = peaks.intensity[kept] * factor
    features = peaks.features[kept].copy()
    relative = intensity / intensity.max()
    features[:, RELATIVE_INTENSITY] = relative_intensity_features(relative)
    weight = np.sqrt(intensity / intensity.sum()).astype(np.float32)
    return dataclasses.replace(
        peaks,
        mz=peaks.mz[kept],
        intensity=intensity,
        at_precursor=peaks.at_precursor[kept],
        weight=weight,
        features=features,
    )


@torch.no_grad()
def recall(score_of, examples):
    """Recall at 1, 5 and 20 over the spectra of examples (ties count as the expected rank), and the mean list length.

    score_of(example) -> list of (n,) score arrays, one for each of its spectra, the truth first.
    """
    found, lengths = [], []
    for example in examples:
        for scores in score_of(example):
            found.append(expected_recall(*tie_counts(scores, 0), RECALL_CUTOFFS))
            lengths.append(len(scores))
    return np.mean(found, axis=0), float(np.mean(lengths))
