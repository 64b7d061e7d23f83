"""Training the ranker: the truth against decoys of its mass."""

import dataclasses
import logging
import time

import numpy as np
import torch

from specbridge_tools.fragmentation.batch import CandidateArrays, join
from specbridge_tools.fragmentation.peaks import Peaks
from specbridge_tools.fragmentation.trainable import TrainableNetwork

_logger = logging.getLogger(__name__)
CUTOFFS = (1, 5, 20)


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
    decay; weight of the likelihood of the truth's peaks beside the ranking loss; how often the energy is hidden.
    """

    epochs: int = 4
    molecules: int = 4
    spectra: int = 2
    decoys: int = 20
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    likelihood_weight: float = 0.05
    hide_energy: float = 0.3
    seed: int = 0


def train(network: TrainableNetwork, examples, options: TrainingOptions, *, after_epoch=None, state=None):
    """Train in place: the loss of a spectrum is the cross entropy of the truth in a softmax over the candidates.

    Each epoch draws its own random numbers from seed and epoch alone, so that a run that is taken up from `state`
    (what `after_epoch(epoch, state)` was given) ends as one that was not interrupted.
    """
    torch.manual_seed(options.seed)
    optimiser = torch.optim.AdamW(network.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    steps = -(-len(examples) // options.molecules)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _one_cycle(steps * options.epochs))
    first = 0
    if state is not None:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"] + 1
    for epoch in range(first, options.epochs):
        started, losses = time.monotonic(), []
        random = np.random.default_rng((options.seed, epoch))
        order = random.permutation(len(examples))
        for start in range(0, len(order), options.molecules):
            optimiser.zero_grad()
            chosen = order[start : start + options.molecules]
            for index in chosen:
                loss = _example_loss(network, examples[index], options, random)
                (loss / len(chosen)).backward()
                losses.append(loss.item())
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            if start // options.molecules % 100 == 99:
                recent = np.mean(losses[-100 * options.molecules :])
                _logger.debug("epoch %d step %d loss %.4f", epoch, start // options.molecules + 1, recent)
        _logger.info("epoch %d loss %.4f %.0f s", epoch, np.mean(losses), time.monotonic() - started)
        if after_epoch is not None:
            parts = {"network": network, "optimiser": optimiser, "schedule": schedule}
            after_epoch(epoch, {"epoch": epoch, **{name: part.state_dict() for name, part in parts.items()}})


def _one_cycle(n_steps):
    warm_up = max(1, n_steps // 12)
    return lambda step: min((step + 1) / warm_up, 0.5 * (1 + np.cos(np.pi * min(1.0, step / max(1, n_steps)))) + 1e-3)


def _example_loss(network, example, options, random):
    n_decoys = len(example.candidates) - 1
    decoys = 1 + random.permutation(n_decoys)[: options.decoys]
    batch = join([example.candidates[0], *(example.candidates[index] for index in decoys)])
    encoded = network.encode(batch)
    chosen = random.permutation(len(example.peaks))[: options.spectra]
    total = 0.0
    for index in chosen:
        peaks = example.peaks[index]
        hidden = random.random() < options.hide_energy
        scores, log_likelihood = network(batch, encoded, peaks, hide_energy=hidden)
        share = torch.tensor(peaks.weight / peaks.weight.sum())
        likelihood = log_likelihood[0] @ share
        total = total - torch.log_softmax(scores, 0)[0] - options.likelihood_weight * likelihood
    return total / len(chosen)


@torch.no_grad()
def recall(score_of, examples):
    """Recall at 1, 5 and 20 over the spectra of examples (ties count as the expected rank), and the mean list length.

    score_of(example) -> list of (n,) score arrays, one for each of its spectra, the truth first.
    """
    found, lengths = [], []
    for example in examples:
        for scores in score_of(example):
            better = int((scores[1:] > scores[0]).sum())
            equal = int((scores[1:] == scores[0]).sum())
            found.append([min(1.0, max(0.0, (k - better) / (equal + 1))) for k in CUTOFFS])
            lengths.append(len(scores))
    return np.mean(found, axis=0), float(np.mean(lengths))
