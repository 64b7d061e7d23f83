"""Residual MLPs between spaces."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """x + W2 gelu(W1 norm(x)); W2 starts at zero, so that a new block changes nothing."""

    def __init__(self, width: int, dropout: float, *, inner: int = 0) -> None:
        """Make a new block.

        Args:
            width: Of x.
            dropout: Of the change, in training.
            inner: Width between W1 and W2; 0 is twice `width`.
        """
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, inner or 2 * width)
        self.outer = nn.Linear(inner or 2 * width, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        change: torch.Tensor = self.dropout(self.outer(functional.gelu(self.inner(self.norm(x)))))
        return x + change


class Projector(nn.Module):
    """Spectral side: linear map into the hidden width, residual blocks, linear map into the molecules' space."""

    def __init__(self, d_in: int, d_out: int, *, hidden: int = 512, depth: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.enter = nn.Linear(d_in, hidden)
        self.blocks = nn.Sequential(*(ResidualBlock(hidden, dropout) for _ in range(depth)))
        self.leave = nn.Linear(hidden, d_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(b, d_in) -> (b, d_out)."""
        out: torch.Tensor = self.leave(self.blocks(self.enter(x)))
        return out


class PublishedProjector(nn.Module):
    """Spectral side as in Wang et al., arXiv 2601.17204.

    A head of two layers and a layer norm, an orthogonal linear map into the molecules' space, and residual blocks
    there, whose inner width is that of the head.
    """

    def __init__(self, d_in: int, d_out: int, *, hidden: int = 2048, depth: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(d_in, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.LayerNorm(hidden))
        self.map = nn.Linear(hidden, d_out)
        self.blocks = nn.Sequential(*(ResidualBlock(d_out, dropout, inner=hidden) for _ in range(depth)))
        nn.init.orthogonal_(self.map.weight)
        nn.init.zeros_(self.map.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(b, d_in) -> (b, d_out)."""
        out: torch.Tensor = self.blocks(self.map(self.head(x)))
        return out


PROJECTORS = {"residual": Projector, "published": PublishedProjector}


class MoleculeHead(nn.Module):
    """Molecular side: residual blocks over the frozen unit vectors; the identity before training."""

    def __init__(self, dimension: int, *, depth: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(ResidualBlock(dimension, dropout) for _ in range(depth)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, dimension) -> (n, dimension)."""
        out: torch.Tensor = self.blocks(x)
        return out


def unit_norm(x: torch.Tensor) -> torch.Tensor:
    """Rows divided by their Euclidean norm; a row of zeros stays zero."""
    return functional.normalize(x, dim=-1)
