"""The transformer of the DreaMS network: pre-norm blocks without positions and biases."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

if TYPE_CHECKING:
    from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig


class LowRank(nn.Module):
    """A trained change of rank r beside a frozen matrix, zero at first; Hu et al., arXiv 2106.09685."""

    def __init__(self, d_in: int, d_out: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(d_in, rank, bias=False)
        self.up = nn.Linear(rank, d_out, bias=False)
        nn.init.normal_(self.down.weight, std=d_in**-0.5)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., d_in) -> (..., d_out)."""
        return self.up(self.down(x))


@dataclasses.dataclass(frozen=True)
class Padding:
    """Padding that takes part in attention.

    All padding tokens of a spectrum stay alike through every layer, so one token, the last, stands for all of them, at
    the weight of their number.

    Attributes:
        share: (b, n) of each token in the mean over all tokens, padding counted in full.
    """

    share: torch.Tensor


class Attention(nn.Module):
    """Multi-head attention; `weights` holds the rows of Q, K, V and output, without biases."""

    def __init__(self, width: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.weights = nn.Parameter(torch.empty(4 * width, width))
        self.lora: nn.ModuleList | None = None
        nn.init.normal_(self.weights, std=(2 / (5 * width)) ** 0.5)

    def add_low_rank(self, rank: int) -> None:
        """A `LowRank` beside each of Q, K, V and output."""
        width = self.weights.shape[1]
        self.lora = nn.ModuleList(LowRank(width, width, rank) for _ in range(4))

    def forward(self, x: torch.Tensor, key_bias: torch.Tensor, padding: Padding | None, n_queries: int) -> torch.Tensor:
        """Attend from the first tokens to all.

        Args:
            x: (b, n, w).
            key_bias: (b, 1, 1, n), added to the logits.
            padding: With it the last token attends to every token alike.
            n_queries: How many tokens attend.

        Returns:
            (b, n_queries, w).
        """
        b, n, w = x.shape
        if n_queries == n:
            q, k, v = self._project(x, 0, 3)  # (b, h, n, w/h)
        else:
            (q,) = self._project(x[:, :n_queries], 0, 1)  # (b, h, n_queries, w/h)
            k, v = self._project(x, 1, 3)
        dropout = self.dropout if self.training else 0.0
        out = functional.scaled_dot_product_attention(q, k, v, attn_mask=key_bias, dropout_p=dropout)
        if padding is not None and n_queries == n:
            mean = torch.einsum("bn,bhnd->bhd", padding.share.to(v.dtype), v)
            out = torch.cat([out[:, :, :-1], mean[:, :, None].to(out.dtype)], dim=2)  # (b, h, n, w/h)
        out = out.transpose(1, 2).reshape(b, n_queries, w)
        projected = functional.linear(out, self.weights[3 * w :])
        return projected if self.lora is None else projected + self.lora[3](out)

    def _project(self, x: torch.Tensor, first: int, last: int) -> tuple[torch.Tensor, ...]:
        """The parts `first` to `last` of Q, K, V as (b, h, n, w/h) each."""
        b, n, w = x.shape
        out = functional.linear(x, self.weights[first * w : last * w])
        if self.lora is not None:
            out = out + torch.cat([self.lora[i](x) for i in range(first, last)], dim=-1)
        parts = out.view(b, n, last - first, self.n_heads, w // self.n_heads).permute(2, 0, 3, 1, 4)
        return parts.unbind(0)


class TransformerFeedForward(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.in_proj = nn.Linear(width, 4 * width, bias=False)
        self.out_proj = nn.Linear(4 * width, width, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.lora: nn.ModuleList | None = None
        for layer in (self.in_proj, self.out_proj):
            nn.init.normal_(layer.weight, std=(2 / (5 * width)) ** 0.5)

    def add_low_rank(self, rank: int) -> None:
        """A `LowRank` beside each of the two matrices."""
        width = self.in_proj.in_features
        self.lora = nn.ModuleList((LowRank(width, 4 * width, rank), LowRank(4 * width, width, rank)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.in_proj(x)
        if self.lora is not None:
            inner = inner + self.lora[0](x)
        inner = self.dropout(inner.relu_())  # in place: four times as wide as everything else
        out = self.out_proj(inner)
        return out if self.lora is None else out + self.lora[1](inner)


class TransformerEncoder(nn.Module):
    """Pre-norm blocks, no positions; `scales` are the layer norms: 2i and 2i + 1 of block i, one at the end."""

    def __init__(self, config: DreamsConfig) -> None:
        super().__init__()
        width = config.width
        self.atts = nn.ModuleList(Attention(width, config.n_heads, config.dropout) for _ in range(config.n_layers))
        self.ffs = nn.ModuleList(TransformerFeedForward(width, config.dropout) for _ in range(config.n_layers))
        self.scales = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * config.n_layers + 1))
        self.dropout = nn.Dropout(config.dropout)
        self.recompute = False  # activations in the backward pass, to save memory

    def forward(
        self,
        x: torch.Tensor,
        key_bias: torch.Tensor,
        padding: Padding | None,
        *,
        n_out: int | None = None,
        first: int = 0,
    ) -> torch.Tensor:
        """(b, n, w) -> (b, n_out, w): the first `n_out` tokens, all by default; blocks before `first` are done."""
        x = self.blocks(x, key_bias, padding, first, len(self.atts), n_out=n_out)
        return self.scales[-1](x[:, :n_out])

    def blocks(
        self,
        x: torch.Tensor,
        key_bias: torch.Tensor,
        padding: Padding | None,
        first: int,
        end: int,
        *,
        n_out: int | None = None,
    ) -> torch.Tensor:
        """The blocks from `first` to before `end`, without the last norm."""
        n = x.shape[1]
        for i in range(first, end):
            n_queries = n_out if i == len(self.atts) - 1 and n_out is not None else n
            if self.recompute and torch.is_grad_enabled() and self.training:
                # the halves by themselves: then the activations of one half are the most that is held
                x = checkpoint(self._attend, i, x, key_bias, padding, n_queries, use_reentrant=False)
                x = checkpoint(self._feed_forward, i, x, use_reentrant=False)
            else:
                x = self._feed_forward(i, self._attend(i, x, key_bias, padding, n_queries))
        return x

    def _attend(
        self, i: int, x: torch.Tensor, key_bias: torch.Tensor, padding: Padding | None, n_queries: int
    ) -> torch.Tensor:
        """First half of block i: (b, n, w) -> (b, n_queries, w)."""
        attended = self.atts[i](self.scales[2 * i](x), key_bias, padding, n_queries)
        return x[:, :n_queries] + self.dropout(attended)

    def _feed_forward(self, i: int, x: torch.Tensor) -> torch.Tensor:
        """Second half of block i: (b, n, w), the same shape."""
        return x + self.dropout(self.ffs[i](self.scales[2 * i + 1](x)))
