"""Training the networks that rank: the truth shall be probable in a softmax over its list."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.ranking.network import LIMIT, Weights

_SMALLEST_SPREAD = 1e-6


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How one network is trained.

    Attributes:
        width: Of both hidden layers.
        epochs: Passes over all lists.
        batch_size: Lists in a step.
        learning_rate: The highest, of AdamW with one cycle.
        weight_decay: Of AdamW.
        dropout: Of the first hidden layer.
        networks: How many are trained, with seeds that follow one another; their scores are averaged.
        seed: The first.
    """

    width: int = 32
    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.2
    networks: int = 4
    seed: int = 0


DEFAULT_OPTIONS = TrainingOptions()


class RankingModule(torch.nn.Module):
    """`ranking.network`, to be trained."""

    def __init__(self, n_columns: int, options: TrainingOptions) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(n_columns, 1, bias=False)
        self.hidden1 = torch.nn.Linear(n_columns, options.width)
        self.hidden2 = torch.nn.Linear(options.width, options.width)
        self.out = torch.nn.Linear(options.width, 1, bias=False)
        self.dropout = torch.nn.Dropout(options.dropout)

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Scores (n,) of scaled columns (n, k)."""
        hidden = self.dropout(torch.relu(self.hidden1(columns)))  # (n, h)
        hidden = torch.relu(self.hidden2(hidden))  # (n, h)
        scores: torch.Tensor = (self.linear(columns) + self.out(hidden))[:, 0]  # (n,)
        return scores


def train_networks(
    columns: Sequence[NDArray[np.float64]],
    truths: Sequence[int],
    weights: NDArray[np.float64],
    *,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> list[Weights]:
    """Train `options.networks` networks on the same lists.

    Args:
        columns: (n, k) of each list, as `candidate_columns` makes them.
        truths: Row of the truth in each; all have one.
        weights: (n_lists,).
        options: Of the training.

    Raises:
        ValueError: Without lists.
    """
    if not len(columns):
        raise ValueError("no lists to train on")
    stacked = np.concatenate(columns)
    centre, spread = stacked.mean(axis=0), np.maximum(stacked.std(axis=0), _SMALLEST_SPREAD)
    scaled = [
        torch.from_numpy(np.clip((values - centre) / spread, -LIMIT, LIMIT).astype(np.float32)) for values in columns
    ]
    seeds = range(options.seed, options.seed + options.networks)
    return [
        {"centre": centre, "spread": spread, **_weights(_trained(scaled, truths, weights, options, seed))}
        for seed in seeds
    ]


def _trained(
    scaled: Sequence[torch.Tensor],
    truths: Sequence[int],
    weights: NDArray[np.float64],
    options: TrainingOptions,
    seed: int,
) -> RankingModule:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = RankingModule(scaled[0].shape[1], options)
        optimiser = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
        batches = list(_batches(len(scaled), options, seed))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.learning_rate, len(batches) + 1)
        for rows in batches:
            scores = torch.split(network(torch.cat([scaled[row] for row in rows])), [len(scaled[row]) for row in rows])
            losses = [
                -float(weights[row]) * torch.log_softmax(part, dim=0)[truths[row]]
                for row, part in zip(rows, scores, strict=True)
            ]
            loss = torch.stack(losses).sum() / float(weights[rows].sum())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _batches(n_lists: int, options: TrainingOptions, seed: int) -> Iterator[list[int]]:
    rng = np.random.default_rng(seed)
    for _ in range(options.epochs):
        order = rng.permutation(n_lists).tolist()
        for start in range(0, n_lists, options.batch_size):
            yield order[start : start + options.batch_size]


def _weights(network: RankingModule) -> dict[str, NDArray[np.float64]]:
    state = {name: value.numpy().astype(np.float64) for name, value in network.state_dict().items()}
    rows = {"linear": state.pop("linear.weight")[0], "out.weight": state.pop("out.weight")[0]}
    return {**state, **rows}
