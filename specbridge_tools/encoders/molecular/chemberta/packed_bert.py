"""BERT and RoBERTa, frozen, over sequences joined end to end: nothing is padded, and nothing is computed twice.

Written by hand although transformers runs these networks: a loop over padded batches of 64 takes 3.8 to 4.8 times as
long (tests/benchmarks/chemberta.py), and its vectors depend on what else is in the batch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from specbridge_tools.encoders.one_thread import whole_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

Block: TypeAlias = Any
"""A layer of transformers, the types of whose parts torch does not know."""
Run: TypeAlias = tuple[slice, int, int]
"""Neighbouring sequences of one length: their rows, how many they are, that length."""


class PackedBert:
    """The vectors of a `BertModel` or `RobertaModel`, for the CPU; takes the model over and changes it.

    What it saves, beside padding, changes the numbers by no more than rounding (1e-6):
    * What enters the first block depends on a token and its place alone: `embed_tokens` is called once for each pair.
    * Of the last block only the first token is asked for (pooling `cls`). There q . (K h) = (K' q) . h, so that its
      query is carried over to the hidden states h, and keys and values of other tokens are never computed.

    Attributes:
        width: Of a hidden state, and of a vector.
        n_places: How many places the model knows.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        config = model.config
        embeddings: Any = model.embeddings
        encoder: Any = model.encoder
        self.width: int = config.hidden_size
        self._n_heads: int = config.num_attention_heads
        self._padding: int | None = embeddings.padding_idx if config.model_type == "roberta" else None
        self.n_places: int = config.max_position_embeddings
        self._words, self._places = embeddings.word_embeddings, embeddings.position_embeddings
        self._kind, self._norm = embeddings.token_type_embeddings.weight[0], embeddings.LayerNorm
        self._blocks: list[Block] = list(encoder.layer)
        inner = self._blocks[-1].attention.self
        self._last_query, self._last_value = inner.query, inner.value
        self._last_key = inner.key.weight.unflatten(0, (self._n_heads, -1))  # (heads, w / heads, w)
        self._inputs: list[nn.Linear] = [_side_by_side(block.attention.self) for block in self._blocks]
        for block in self._blocks:
            block.attention.self = None

    @staticmethod
    def reads(model: PreTrainedModel) -> bool:
        """Whether `model` is a network that this class knows."""
        return model.config.model_type in ("bert", "roberta") and not model.config.is_decoder

    def places(self, tokens: Sequence[int]) -> NDArray[np.int64]:
        """The place of each token of a sequence, (t,) -> (t,); RoBERTa counts from the number of its padding token."""
        if self._padding is None:
            return np.arange(len(tokens))
        real = np.asarray(tokens) != self._padding
        return np.cumsum(real) * real + self._padding

    @torch.inference_mode()
    def embed_tokens(self, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """(n,) int64 each -> (n, 4 w): what enters the first block, then its queries, keys and values."""
        n = len(tokens)
        tokens, places = _padded(tokens), _padded(places)
        hidden = self._norm(self._words(tokens) + self._kind + self._places(places))  # (n, w)
        return torch.cat([hidden, self._inputs[0](hidden)], dim=1)[:n]

    @torch.inference_mode()
    def encode(self, rows: torch.Tensor, lengths: Sequence[int], *, pooling: str) -> torch.Tensor:
        """Embedded tokens to one vector a sequence; quickest where sequences of one length are neighbours.

        Args:
            rows: (n, 4 w) of `embed_tokens`, of s sequences, one after the other.
            lengths: Of the sequences, in tokens.
            pooling: `cls` or `mean`.

        Returns:
            (s, w).
        """
        rows, runs = _padded(rows), _runs(lengths)
        hidden, inputs = rows[:, : self.width], rows[:, self.width :]
        for i, block in enumerate(self._blocks):
            last = i == len(self._blocks) - 1
            if last and pooling == "cls":
                return self._first_tokens(hidden, lengths, runs)
            if i > 0:
                inputs = self._inputs[i](hidden)  # (n, 3 w)
            hidden = _finished(block, hidden, self._attended(inputs, runs))
        means = [hidden[rows].view(count, length, self.width).mean(dim=1) for rows, count, length in runs]
        return torch.cat(means)

    def _attended(self, inputs: torch.Tensor, runs: Sequence[Run]) -> torch.Tensor:
        """Queries, keys and values (n, 3 w) -> (n, w), each sequence for itself."""
        out = inputs.new_zeros(len(inputs), self.width)
        for rows, count, length in runs:
            parts = inputs[rows].view(count, length, 3, self._n_heads, -1).permute(2, 0, 3, 1, 4)
            query, key, value = parts.unbind(0)
            seen = functional.scaled_dot_product_attention(query, key, value)  # (count, heads, length, w / heads)
            out[rows].view(count, length, self._n_heads, -1).copy_(seen.transpose(1, 2))
        return out

    def _first_tokens(self, hidden: torch.Tensor, lengths: Sequence[int], runs: Sequence[Run]) -> torch.Tensor:
        """The last block for the first token of each sequence: (n, w) -> (s, w)."""
        first = _padded(hidden[np.cumsum([0, *lengths[:-1]])])  # (s or some more, w)
        query = self._last_query(first).unflatten(1, (self._n_heads, -1))  # (s, heads, w / heads)
        query = query * query.shape[-1] ** -0.5
        # the bias of a key adds the same to all tokens, which a softmax ignores
        wanted = torch.bmm(query.transpose(0, 1), self._last_key).transpose(0, 1)  # (s, heads, w)
        seen, done = torch.zeros_like(wanted), 0
        for rows, count, length in runs:
            states = hidden[rows].view(count, length, self.width)
            share = torch.bmm(wanted[done : done + count], states.transpose(1, 2)).softmax(dim=-1)
            seen[done : done + count] = torch.bmm(share, states)  # (count, heads, w)
            done += count
        value = self._last_value.weight.unflatten(0, (self._n_heads, -1)).transpose(1, 2)  # (heads, w, w / heads)
        attended = torch.bmm(seen.transpose(0, 1), value).transpose(0, 1).flatten(1)  # (s, w)
        return _finished(self._blocks[-1], first, attended + self._last_value.bias)[: len(lengths)]


def _padded(rows: torch.Tensor) -> torch.Tensor:
    """(n, ...) -> the same with rows of zeros appended, up to whole blocks of the kernels."""
    more = whole_rows(len(rows)) - len(rows)
    return torch.cat([rows, rows.new_zeros(more, *rows.shape[1:])]) if more else rows


def _side_by_side(attention: Block) -> nn.Linear:
    """Query, key and value as one layer, w -> 3 w."""
    parts = (attention.query, attention.key, attention.value)
    joined = nn.Linear(parts[0].in_features, 3 * parts[0].out_features, device="meta")
    joined.weight = nn.Parameter(torch.cat([part.weight for part in parts]), requires_grad=False)
    joined.bias = nn.Parameter(torch.cat([part.bias for part in parts]), requires_grad=False)
    return joined


def _finished(block: Block, hidden: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """The part of a block after its attention: (n, w) each -> (n, w)."""
    mixed = block.attention.output(attended, hidden)
    return block.output(block.intermediate(mixed), mixed)


def _runs(lengths: Sequence[int]) -> list[Run]:
    runs, at = [], 0
    for length, group in itertools.groupby(lengths):
        count = len(list(group))
        runs.append((slice(at, at + count * length), count, length))
        at += count * length
    return runs
