"""The DreaMS transformer as a spectral encoder: features in, one vector a spectrum out."""

import dataclasses

import torch
from torch import nn

from specbridge_tools.encoders.dreams_network import DreamsConfig, DreamsNetwork
from specbridge_tools.encoders.features import N_ADDUCTS
from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.errors import UsageError

POOLINGS = ("precursor", "mean")


class ConditionEmbedding(nn.Module):
    """Adduct and collision energy -> a vector beside the precursor's; each may be missing."""

    def __init__(self, width):
        super().__init__()
        self.adduct = nn.Embedding(N_ADDUCTS, width)
        self.energy = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width))
        nn.init.normal_(self.adduct.weight, std=0.02)

    def forward(self, adduct, energy_ev, precursor_mz):
        """adduct (b,) int64, energy_ev (b,) float32 with NaN, precursor_mz (b,) -> (b, w)."""
        known = ~energy_ev.isnan()
        energy = torch.where(known, energy_ev, 0.0)
        per_mass = energy / precursor_mz.float() * 10  # the energy that one bond feels falls with the ion's size
        scalars = torch.stack([known.float(), torch.log1p(energy) / 5, torch.log1p(per_mass)], dim=-1)  # (b, 3)
        return self.adduct(adduct) + self.energy(scalars)


class DreamsEncoder(nn.Module):
    """`DreamsNetwork` with its conditions and its pooling: the precursor token, or the mean over all real tokens."""

    def __init__(self, config=None, *, pooling="precursor"):
        super().__init__()
        if pooling not in POOLINGS:
            raise UsageError(f"dreams: pooling {pooling!r}", advice=" or ".join(POOLINGS))
        self.config = config or DreamsConfig()
        self.pooling = pooling
        self.network = DreamsNetwork(self.config)
        self.conditions = ConditionEmbedding(self.config.width) if self.config.conditions else None
        self.dimension = self.config.width
        self.n_peaks = self.config.n_peaks
        self.fixed_width = self.config.fixed_padding

    @classmethod
    def from_argument(cls, argument):
        """`preset=official` or `preset=default`, `pooling=...`, and any field of `DreamsConfig`."""
        preset = "official" if "preset=official" in argument.split(",") else "default"
        base = DreamsConfig.official() if preset == "official" else DreamsConfig()
        known = {"preset": preset, "pooling": "precursor", **dataclasses.asdict(base)}
        options = parse_options(argument, known)
        if options.pop("preset") != preset:
            raise UsageError(f"dreams: unknown preset in {argument!r}", advice="official or default")
        return cls(pooling=options.pop("pooling"), config=DreamsConfig(**options))

    def describe(self):
        """Registry name and plain values that rebuild the encoder without its weights."""
        return {"name": "dreams", "pooling": self.pooling, **dataclasses.asdict(self.config)}

    @classmethod
    def from_description(cls, description):
        values = {key: value for key, value in description.items() if key not in ("name", "pooling")}
        return cls(DreamsConfig(**values), pooling=description["pooling"])

    def freeze_below(self, n_blocks):
        """Train only the last `n_blocks` transformer blocks and the final norm; a negative number trains everything."""
        if n_blocks < 0:
            return
        self.requires_grad_(False)
        transformer = self.network.transformer_encoder
        first = max(0, self.config.n_layers - n_blocks)
        for part in (*transformer.atts[first:], *transformer.ffs[first:], *transformer.scales[2 * first :]):
            part.requires_grad_(n_blocks > 0)

    def forward(self, features):
        """`SpectrumFeatures` of b spectra -> (b, dimension) float32."""
        device = self.network.fourier_enc.b.device
        peaks = features.peaks
        precursor_mz = torch.from_numpy(peaks.precursor_mz).to(device)
        condition = None
        if self.conditions is not None:
            adduct = torch.from_numpy(features.adduct).to(device)
            energy_ev = torch.from_numpy(features.energy_ev).to(device)
            condition = self.conditions(adduct, energy_ev, precursor_mz)  # (b, w)
        mz, intensity = (torch.from_numpy(array).to(device) for array in (peaks.mz, peaks.intensity))
        tokens, real = self.network(precursor_mz, mz, intensity, condition)  # (b, n, w), (b, n)
        if self.pooling == "precursor":
            return tokens[:, 0]
        weight = real[..., None].to(tokens.dtype)
        return (tokens * weight).sum(1) / weight.sum(1)
