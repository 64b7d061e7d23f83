"""The DreaMS transformer over peaks, every size in its configuration.

Architecture after Bushuiev et al., Nature Biotechnology (2025), doi:10.1038/s41587-025-02663-3; parameter names are
those of the published checkpoints. `DreamsConfig.official()` is the published model, the defaults the one that ships.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from specbridge_tools.encoders.spectral.dreams.transformer import Padding, TransformerEncoder
from specbridge_tools.errors import UsageError

PRECURSOR_INTENSITY = 1.1
TOKEN_BIN = 0.01  # Da
OFFICIAL_FREQUENCIES = "official"
GEOMETRIC_FREQUENCIES = "geometric"
GIVEN_FREQUENCIES = "given"
NEVER = -1e9
_SPECTRA_AT_ONCE = 8


@dataclasses.dataclass(frozen=True)
class DreamsConfig:
    """Sizes and choices of one model.

    Attributes:
        n_peaks: How many of the highest peaks are read; of equal ones at the cut those of lower m/z, where the original
            code leaves the choice to numpy's version.
        n_layers: Blocks of the transformer.
        d_peak: Width of what is made of m/z and intensity.
        d_fourier: Width of what is made of the Fourier features.
        n_heads: Of attention.
        fourier_hidden: Width of the layers over the Fourier features.
        fourier_depth: How many of them there are.
        frequencies: `official`: 1/(1e-4 i) for even i in 2..9998, then 1/i for i in 2..999, phases in float32;
            `geometric`: `n_frequencies` wavelengths from 0.004 to 2000 m/z, phases in float64;
            `given`: `n_frequencies` that come with the weights, phases in float32.
        n_frequencies: How many there are; `official` frequencies have their own number.
        neutral_losses: Fourier features of precursor m/z minus m/z stand beside those of m/z.
        conditions: Adduct and collision energy are added to the precursor token; both may be missing.
        intensity_power: Exponent of the relative intensity.
        fixed_padding: Pad to `n_peaks` and let padding take part as keys, as the published model does; else padding
            is masked and a batch is as wide as its longest spectrum.
        distance_bias: Attention bias from pairwise differences of the Fourier features.
        mass_tokens: Number of 0.01 Da bins, from 0 up, whose learned vectors stand beside the Fourier features, for
            m/z and neutral losses each; 0 for none. So common fragments are memorised.
        d_token: Length of these vectors before they are widened.
        dropout: In training.
    """

    n_peaks: int = 60
    n_layers: int = 4
    d_peak: int = 32
    d_fourier: int = 224
    n_heads: int = 8
    fourier_hidden: int = 256
    fourier_depth: int = 3
    frequencies: str = GEOMETRIC_FREQUENCIES
    n_frequencies: int = 128
    neutral_losses: bool = True
    conditions: bool = True
    intensity_power: float = 0.5
    fixed_padding: bool = False
    distance_bias: bool = False
    mass_tokens: int = 50_000
    d_token: int = 64
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width % self.n_heads:
            raise UsageError(f"dreams: width {self.width} is not a multiple of n_heads {self.n_heads}")
        if self.frequencies not in (OFFICIAL_FREQUENCIES, GEOMETRIC_FREQUENCIES, GIVEN_FREQUENCIES):
            raise UsageError(f"dreams: frequencies {self.frequencies!r}", advice="official or geometric")

    @property
    def width(self) -> int:
        return self.d_peak + self.d_fourier

    @classmethod
    def official(cls, **changes: Any) -> DreamsConfig:
        """The published model: 7 layers, 1024 wide, 8 heads; 60 peaks (self-supervised) or 100 (embedding)."""
        sizes: dict[str, Any] = {
            "n_layers": 7,
            "d_peak": 44,
            "d_fourier": 980,
            "fourier_hidden": 512,
            "fourier_depth": 5,
            "frequencies": OFFICIAL_FREQUENCIES,
            "neutral_losses": False,
            "conditions": False,
            "intensity_power": 1.0,
            "fixed_padding": True,
            "distance_bias": True,
            "mass_tokens": 0,
            "dropout": 0.0,
        }
        return cls(**{**sizes, **changes})


def fourier_frequencies(config: DreamsConfig) -> torch.Tensor:
    """(1, f) frequencies in cycles per m/z; float32 where the published model has them so, else float64."""
    if config.frequencies == OFFICIAL_FREQUENCIES:
        values = [1 / (1e-4 * i) for i in range(2, 10_000, 2)] + [1 / i for i in range(2, 1000)]
        return torch.tensor(values, dtype=torch.float32)[None]
    if config.frequencies == GIVEN_FREQUENCIES:
        return torch.zeros(1, config.n_frequencies)
    wavelengths = torch.logspace(math.log10(0.004), math.log10(2000), config.n_frequencies, dtype=torch.float64)
    return (1 / wavelengths)[None]


class FourierFeatures(nn.Module):
    """cos(2 pi b x), then sin(2 pi b x)."""

    b: torch.Tensor

    def __init__(self, config: DreamsConfig) -> None:
        super().__init__()
        self.register_buffer("b", fourier_frequencies(config))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., 1) float64 m/z -> (..., 2 f) float32."""
        if self.b.dtype == torch.float64:
            # whole cycles taken off in float64, so that float32 keeps the phase of the shortest wavelength
            cycles = torch.remainder(x @ self.b, 1.0).float()  # (..., f)
            phase = 2 * torch.pi * cycles
        else:
            # a product by broadcast, since a matrix product would lose the phase under autocast
            phase = 2 * torch.pi * x.to(self.b.dtype) * self.b[0]  # (..., f)
        return torch.cat([phase.cos(), phase.sin()], dim=-1)


class MassTokens(nn.Module):
    """A learned vector for each mass bin; a mass between two bins' centres takes a share of both."""

    def __init__(self, config: DreamsConfig) -> None:
        super().__init__()
        # the last one stands for every mass beyond the bins
        self.vectors = nn.Embedding(config.mass_tokens + 2, config.d_token)
        self.dropout = nn.Dropout(config.dropout)
        self.widen = nn.Linear(config.d_token, config.width, bias=False)
        nn.init.normal_(self.vectors.weight, std=0.1)

    def forward(self, mass: torch.Tensor) -> torch.Tensor:
        """(b, n) float64, Da or m/z -> (b, n, width)."""
        position = (mass / TOKEN_BIN).clamp(0, self.vectors.num_embeddings - 2)  # (b, n)
        lower = position.floor()
        share = (position - lower).float()[..., None]  # (b, n, 1)
        lower = lower.long()
        upper = (lower + 1).clamp(max=self.vectors.num_embeddings - 1)
        vectors = (1 - share) * self.vectors(lower) + share * self.vectors(upper)  # (b, n, d_token)
        return self.widen(self.dropout(vectors))


class FeedForward(nn.Module):
    """Linear layers, each followed by ReLU, the last too."""

    def __init__(self, d_in: int, d_hidden: int, d_out: int, depth: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(depth):
            last = i == depth - 1
            layers.append(nn.Linear(d_in if i == 0 else d_hidden, d_out if last else d_hidden))
            if not last:
                layers.append(nn.Dropout(dropout))
            layers.append(nn.ReLU())
        self.ff = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.ff(x)


class DreamsNetwork(nn.Module):
    """Peaks -> one vector a token; token 0 is the precursor."""

    def __init__(self, config: DreamsConfig) -> None:
        super().__init__()
        self.config = config
        self.fourier_enc = FourierFeatures(config)
        n_features = 2 * self.fourier_enc.b.shape[1] * (2 if config.neutral_losses else 1)
        self.ff_fourier = FeedForward(
            n_features, config.fourier_hidden, config.d_fourier, config.fourier_depth, config.dropout
        )
        self.ff_peak = FeedForward(2, config.d_peak, config.d_peak, 1, config.dropout)
        self.mz_tokens = MassTokens(config) if config.mass_tokens else None
        self.loss_tokens = None
        if config.mass_tokens and config.neutral_losses:
            self.loss_tokens = MassTokens(config)
        self.transformer_encoder = TransformerEncoder(config)
        self.recompute = False  # Fourier features and blocks in the backward pass, to save memory

    def forward(
        self,
        precursor_mz: torch.Tensor,
        mz: torch.Tensor,
        intensity: torch.Tensor,
        condition: torch.Tensor | None = None,
        *,
        n_out: int | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Peaks through the whole network.

        There are n = 1 + p tokens, or 2 + p with `fixed_padding`, where the last one stands for all padding up to
        `n_peaks`.

        Args:
            precursor_mz: (b,) float64.
            mz: (b, p) float64, 0 for padding.
            intensity: (b, p) float32.
            condition: (b, w), added to the precursor token.
            n_out: Return only the first tokens, which saves time in the last block.

        Returns:
            (b, n_out, w), and the mask of real tokens (b, n_out).
        """
        x, key_bias, padding, real = self.embed_tokens(precursor_mz, mz, intensity, condition)
        return self.transformer_encoder(x, key_bias, padding, n_out=n_out), real[:, :n_out]

    def embed_tokens(
        self,
        precursor_mz: torch.Tensor,
        mz: torch.Tensor,
        intensity: torch.Tensor,
        condition: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, Padding | None, torch.Tensor]:
        """What the transformer reads: x (b, n, w), key_bias (b, 1, 1, n), `Padding` or None, real (b, n) bool."""
        if self.config.fixed_padding:
            mz, intensity = functional.pad(mz, (0, 1)), functional.pad(intensity, (0, 1))
        all_mz = torch.cat([precursor_mz[:, None], mz], dim=1)  # (b, n)
        real = all_mz > 0
        intensity = intensity.clamp(min=0) ** self.config.intensity_power
        intensity = torch.cat([torch.full_like(intensity[:, :1], PRECURSOR_INTENSITY), intensity], dim=1)  # (b, n)
        losses = (precursor_mz[:, None] - all_mz) * real  # (b, n)
        fourier = self._fourier(all_mz, losses)  # (b, n, d_fourier)
        peak = self.ff_peak(torch.stack([(all_mz / 1000).float(), intensity], dim=-1))  # (b, n, d_peak)
        x = torch.cat([peak, fourier], dim=-1).float()  # (b, n, w), in full precision under autocast too
        if self.mz_tokens is not None:
            x = x + self.mz_tokens(all_mz)
        if self.loss_tokens is not None:
            x = x + self.loss_tokens(losses)
        if condition is not None:
            x = torch.cat([x[:, :1] + condition[:, None], x[:, 1:]], dim=1)
        key_bias = -fourier.float().sum(-1) if self.config.distance_bias else torch.zeros_like(intensity)  # (b, n)
        padding = None
        if self.config.fixed_padding:
            weight = self.weight(real)  # (b, n)
            # a softmax does not see a constant; without it the lower precision of autocast is enough
            key_bias = key_bias - key_bias.masked_fill(weight == 0, -torch.inf).amax(1, keepdim=True).detach()
            key_bias = torch.where(weight > 0, key_bias + weight.clamp(min=1).log(), NEVER)
            padding = self.padding(real)
        else:
            key_bias = key_bias.masked_fill(~real, NEVER)
        return x, key_bias[:, None, None].to(x.dtype), padding, real

    def padding(self, real: torch.Tensor) -> Padding:
        """`Padding` of tokens of which these (b, n) are real and the last one is padding."""
        weight = self.weight(real)
        return Padding(weight / weight.sum(1, keepdim=True))

    def weight(self, real: torch.Tensor) -> torch.Tensor:
        """How many tokens each token stands for, (b, n) float32: 1, 0 for padding, and its number for the last."""
        n_padding = (self.config.n_peaks + 1 - real.sum(1)).clamp(min=0)
        return torch.cat([real[:, :-1].float(), n_padding[:, None].float()], dim=1)

    def _fourier(self, all_mz: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
        """(b, n) each -> (b, n, d_fourier)."""
        if self.recompute and self.training:
            # the features are by far the widest tensor of the network: those of a few spectra at a time
            parts = zip(all_mz.split(_SPECTRA_AT_ONCE), losses.split(_SPECTRA_AT_ONCE), strict=True)
            hidden = torch.cat([checkpoint(self._first_of_fourier, *part, use_reentrant=False) for part in parts])
        else:
            hidden = self._first_of_fourier(all_mz, losses)
        return self.ff_fourier.ff[1:](hidden)

    def _first_of_fourier(self, all_mz: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
        """(b, n) each, through the Fourier features and the first linear layer over them -> (b, n, fourier_hidden)."""
        features = self.fourier_enc(all_mz[..., None])
        if self.config.neutral_losses:
            features = torch.cat([features, self.fourier_enc(losses[..., None])], dim=-1)
        return self.ff_fourier.ff[0](features)
