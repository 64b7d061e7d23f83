"""Residual MLPs between spaces."""

from torch import nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """x + W2 gelu(W1 norm(x)); W2 starts at zero, so that a new block changes nothing. `inner` 0: twice the width."""

    def __init__(self, width, dropout, *, inner=0):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, inner or 2 * width)
        self.outer = nn.Linear(inner or 2 * width, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, x):
        return x + self.dropout(self.outer(functional.gelu(self.inner(self.norm(x)))))


class Projector(nn.Module):
    """Spectral side: linear map into the hidden width, residual blocks, linear map into the molecules' space."""

    def __init__(self, d_in, d_out, *, hidden=512, depth=2, dropout=0.1):
        super().__init__()
        self.enter = nn.Linear(d_in, hidden)
        self.blocks = nn.Sequential(*(ResidualBlock(hidden, dropout) for _ in range(depth)))
        self.leave = nn.Linear(hidden, d_out)

    def forward(self, x):
        """(b, d_in) -> (b, d_out)."""
        return self.leave(self.blocks(self.enter(x)))


class PublishedProjector(nn.Module):
    """Spectral side as Wang et al., arXiv 2601.17204, describe it: a head of two layers and a layer norm, an orthogonal
    linear map into the molecules' space, residual blocks there, whose inner width is that of the head."""

    def __init__(self, d_in, d_out, *, hidden=2048, depth=8, dropout=0.0):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(d_in, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.LayerNorm(hidden))
        self.map = nn.Linear(hidden, d_out)
        self.blocks = nn.Sequential(*(ResidualBlock(d_out, dropout, inner=hidden) for _ in range(depth)))
        nn.init.orthogonal_(self.map.weight)
        nn.init.zeros_(self.map.bias)

    def forward(self, x):
        """(b, d_in) -> (b, d_out)."""
        return self.blocks(self.map(self.head(x)))


PROJECTORS = {"residual": Projector, "published": PublishedProjector}


class MoleculeHead(nn.Module):
    """Molecular side: residual blocks over the frozen unit vectors; the identity before training."""

    def __init__(self, dimension, *, depth=1, dropout=0.1):
        super().__init__()
        self.blocks = nn.Sequential(*(ResidualBlock(dimension, dropout) for _ in range(depth)))

    def forward(self, x):
        """(n, dimension) -> (n, dimension)."""
        return self.blocks(x)


def unit_norm(x):
    """Rows divided by their Euclidean norm; a row of zeros stays zero."""
    return functional.normalize(x, dim=-1)
