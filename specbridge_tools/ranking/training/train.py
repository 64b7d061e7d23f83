"""Training the networks that rank: the truth shall be probable in a softmax over its list."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.ranking.features import COLUMNS, SUM
from specbridge_tools.ranking.network import LIMIT, Weights

_SMALLEST_SPREAD = 1e-6
_START = COLUMNS.index(f"{SUM}_below_best")
_START_SCALE = 0.63  # under which a softmax of that sum says how probable a candidate is
_MOST_CANDIDATES = 60
_LARGEST_GRADIENT = 5.0


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How one network is trained.

    Attributes:
        width: Of both hidden layers.
        epochs: Passes over all lists.
        batch_size: Lists in a step.
        learning_rate: The highest, of AdamW with one cycle.
        weight_decay: Of AdamW, of the hidden layers.
        dropout: Of the first hidden layer.
        networks: How many are trained, with seeds that follow one another; their scores are averaged. 0: none.
        seed: The first.
    """

    width: int = 12
    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    networks: int = 0
    seed: int = 0


DEFAULT_OPTIONS = TrainingOptions()


class RankingModule(torch.nn.Module):
    """`ranking.network`, to be trained: at the start the linear sum, which the hidden layers correct."""

    def __init__(self, start: torch.Tensor, options: TrainingOptions) -> None:
        """Start from a linear score: `start` (k,) of scaled columns."""
        super().__init__()
        self.linear = torch.nn.Linear(len(start), 1, bias=False)
        self.hidden1 = torch.nn.Linear(len(start), options.width)
        self.hidden2 = torch.nn.Linear(options.width, options.width)
        self.out = torch.nn.Linear(options.width, 1, bias=False)
        self.dropout = torch.nn.Dropout(options.dropout)
        with torch.no_grad():
            self.linear.weight[0] = start
            self.out.weight.zero_()

    def forward(self, columns: torch.Tensor) -> torch.Tensor:
        """Scores (n,) of scaled columns (n, k)."""
        hidden = self.dropout(torch.relu(self.hidden1(columns)))  # (n, h)
        hidden = torch.relu(self.hidden2(hidden))  # (n, h)
        scores: torch.Tensor = (self.linear(columns) + self.out(hidden))[:, 0]  # (n,)
        return scores


@dataclasses.dataclass(frozen=True)
class _Lists:
    """Lists end to end.

    Attributes:
        columns: (rows, k), scaled.
        starts: (n,) first row of each list.
        lengths: (n,).
        truths: (n,) within each list.
        weights: (n,).
    """

    columns: torch.Tensor
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    truths: NDArray[np.int64]
    weights: NDArray[np.float64]


def train_networks(
    columns: Sequence[NDArray[np.float64]],
    truths: Sequence[int],
    weights: NDArray[np.float64],
    *,
    options: TrainingOptions = DEFAULT_OPTIONS,
) -> list[Weights]:
    """Train `options.networks` networks on the same lists.

    Of each list the truth and the candidates of the highest linear sum take part.

    Args:
        columns: (n, k) of each list, of `features.ListFeatures`.
        truths: Row of the truth in each; all have one.
        weights: (n_lists,).
        options: Of the training.

    Raises:
        ValueError: Without lists.
    """
    if not len(columns):
        raise ValueError("no lists to train on")
    chosen = [_strongest(values, truth) for values, truth in zip(columns, truths, strict=True)]
    stacked = np.concatenate([values for values, _ in chosen])
    centre, spread = stacked.mean(axis=0), np.maximum(stacked.std(axis=0), _SMALLEST_SPREAD)
    scaled = torch.from_numpy(np.clip((stacked - centre) / spread, -LIMIT, LIMIT).astype(np.float32))
    lengths = np.array([len(values) for values, _ in chosen])
    lists = _Lists(
        scaled, np.cumsum(lengths) - lengths, lengths, np.array([row for _, row in chosen]), weights / weights.mean()
    )
    start = torch.zeros(len(centre))
    start[_START] = _START_SCALE * float(spread[_START])
    seeds = range(options.seed, options.seed + options.networks)
    return [{"centre": centre, "spread": spread, **_weights(_trained(lists, start, options, seed))} for seed in seeds]


def _strongest(columns: NDArray[np.float64], truth: int) -> tuple[NDArray[np.float64], int]:
    """(columns, truth) of the candidates that take part."""
    rows = np.argsort(-columns[:, _START], kind="stable")[:_MOST_CANDIDATES]
    if truth not in rows:
        rows[-1] = truth
    return columns[rows], int(np.flatnonzero(rows == truth)[0])


def _trained(lists: _Lists, start: torch.Tensor, options: TrainingOptions, seed: int) -> RankingModule:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = RankingModule(start, options)
        hidden = [value for name, value in network.named_parameters() if name != "linear.weight"]
        groups: list[dict[str, Any]] = [{"params": hidden}, {"params": [network.linear.weight], "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=options.learning_rate, weight_decay=options.weight_decay)
        batches = list(_batches(len(lists.lengths), options, seed))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.learning_rate, len(batches) + 1)
        for chosen in batches:
            optimiser.zero_grad()
            _loss(network, lists, np.array(chosen)).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
            optimiser.step()
            schedule.step()
    return network.eval()


def _loss(network: RankingModule, lists: _Lists, chosen: NDArray[np.int64]) -> torch.Tensor:
    """Weighted mean of - ln of the probability of the truth in a softmax over its list."""
    lengths, weights = lists.lengths[chosen], torch.from_numpy(lists.weights[chosen].astype(np.float32))
    first = np.cumsum(lengths) - lengths
    within = np.arange(lengths.sum()) - np.repeat(first, lengths)
    scores = network(lists.columns[np.repeat(lists.starts[chosen], lengths) + within])  # (rows,)
    place = torch.from_numpy(np.repeat(np.arange(len(chosen)), lengths))
    highest = torch.full((len(chosen),), -torch.inf).scatter_reduce(0, place, scores.detach(), "amax")
    total = torch.zeros(len(chosen)).index_add(0, place, torch.exp(scores - highest[place]))
    losses = torch.log(total) + highest - scores[torch.from_numpy(first + lists.truths[chosen])]  # (n,)
    return (losses * weights).sum() / weights.sum()


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
