"""The DreaMS transformer as a spectral encoder: features in, one vector a spectrum out."""

import dataclasses
from pathlib import Path

import torch
from torch import nn

from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.encoders.spectral.batches import encode_features
from specbridge_tools.encoders.spectral.conditions import energy_scalars
from specbridge_tools.encoders.spectral.dreams.network import NEVER, DreamsConfig, DreamsNetwork
from specbridge_tools.encoders.spectral.dreams.weights import read_dreams
from specbridge_tools.encoders.spectral.features import N_ADDUCTS, spectrum_features
from specbridge_tools.errors import FormatError, MismatchError, UsageError
from specbridge_tools.weights.store import stored_spectral_encoders, weight_file

POOLINGS = ("precursor", "mean")
_NOT_CONFIG = ("pooling", "head", "lora_rank", "base", "base_sha256")


class ConditionEmbedding(nn.Module):
    """Adduct and collision energy -> a vector beside the precursor's; each may be missing."""

    def __init__(self, width):
        super().__init__()
        self.adduct = nn.Embedding(N_ADDUCTS, width)
        self.energy = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width))
        nn.init.normal_(self.adduct.weight, std=0.02)

    def forward(self, adduct, energy_ev, precursor_mz):
        """adduct (b,) int64, energy_ev (b,) float32 with NaN, precursor_mz (b,) -> (b, w)."""
        return self.adduct(adduct) + self.energy(energy_scalars(energy_ev, precursor_mz))


class DreamsEncoder(nn.Module):
    """`DreamsNetwork` with its conditions and its pooling: the precursor token, or the mean over all real tokens.

    head         a linear map behind the precursor token, as the published embedding model has it
    lora_rank    rank of trained changes beside frozen weights; then `base_sha256` names those weights
    base_sha256  hash of the weights that the encoder was made with (`DreamsWeights.digest`), '' where it was made anew
    base         where they were, or are to be looked for first
    """

    fixed_width = False  # the network counts padding that is not there

    def __init__(self, config=None, *, pooling="precursor", head=False, lora_rank=0, base="", base_sha256=""):
        super().__init__()
        if pooling not in POOLINGS:
            raise UsageError(f"dreams: pooling {pooling!r}", advice=" or ".join(POOLINGS))
        if head and pooling != "precursor":
            raise UsageError(f"dreams: the head reads the precursor token, not pooling {pooling!r}")
        self.config = config or DreamsConfig()
        self.pooling = pooling
        self.base, self.base_sha256, self.lora_rank = base, base_sha256, 0
        self.network = DreamsNetwork(self.config)
        self.conditions = ConditionEmbedding(self.config.width) if self.config.conditions else None
        self.head = nn.Linear(self.config.width, self.config.width) if head else None
        self.dimension = self.config.width
        self.n_peaks = self.config.n_peaks
        if lora_rank:
            self.add_low_rank(lora_rank)

    @classmethod
    def from_argument(cls, argument):
        """`PATH` or a name of `sb-models` whose weights are on this machine, and options; or options alone.

        Options: `pooling`, `n_peaks`, `n_heads`, `dropout`, and `head=false` to leave out the head of an embedding
        model; without weights also `preset=official|default` and any other field of `DreamsConfig`.
        """
        first, _, rest = argument.partition(",")
        if first and ("=" not in first or Path(first).exists()):
            return _with_weights(first, rest)
        preset = "official" if "preset=official" in argument.split(",") else "default"
        base = DreamsConfig.official() if preset == "official" else DreamsConfig()
        known = {"preset": preset, "pooling": "precursor", **dataclasses.asdict(base)}
        options = parse_options(argument, known)
        if options.pop("preset") != preset:
            raise UsageError(f"dreams: unknown preset in {argument!r}", advice="official or default")
        return cls(pooling=options.pop("pooling"), config=DreamsConfig(**options))

    def describe(self):
        """Registry name and plain values that rebuild the encoder without its weights."""
        values = {"name": "dreams", "pooling": self.pooling, **dataclasses.asdict(self.config)}
        if self.base_sha256:
            values |= {"head": self.head is not None, "lora_rank": self.lora_rank}
            values |= {"base": self.base, "base_sha256": self.base_sha256}
        return values

    @classmethod
    def from_description(cls, description):
        others = {name: description[name] for name in _NOT_CONFIG if name in description}
        values = {key: value for key, value in description.items() if key not in ("name", *_NOT_CONFIG)}
        return cls(DreamsConfig(**values), **others)

    def add_low_rank(self, rank):
        """Freeze the weights and put trained changes of this rank beside those of attention and feed-forward."""
        if not self.base_sha256:
            raise UsageError("low-rank training needs weights to start from", advice="--spectral-encoder dreams:PATH")
        self.requires_grad_(False)
        self.lora_rank = rank
        transformer = self.network.transformer_encoder
        for part in (*transformer.atts, *transformer.ffs):
            part.add_low_rank(rank)

    def base_tensors(self):
        """Names of the tensors that a model file leaves out: those of the base, where only low-rank changes learn."""
        return {name for name in self.state_dict() if ".lora." not in name} if self.lora_rank else set()

    def load_base(self):
        """Read the weights named by `base_sha256` from `base` or a store; `MismatchError` where they are not there."""
        self._load(find_base(self.base, self.base_sha256))

    def _load(self, weights):
        """Take over the tensors of `DreamsWeights`, whose sizes are those of the configuration."""
        prefixed = {f"network.{name}": tensor for name, tensor in weights.tensors.items() if "head." not in name}
        if self.head is not None:
            prefixed |= {name: tensor for name, tensor in weights.tensors.items() if name.startswith("head.")}
        expected = {name: tensor.shape for name, tensor in self.state_dict().items() if ".lora." not in name}
        found = {name: tensor.shape for name, tensor in prefixed.items()}
        for name in sorted(expected.keys() | found.keys()):
            if expected.get(name) != found.get(name):
                sizes = f"found {_size(found.get(name))}, expected {_size(expected.get(name))}"
                raise FormatError(f"tensor {name.removeprefix('network.')}: {sizes}", where=self.base)
        self.load_state_dict(prefixed, strict=False, assign=True)

    def freeze_below(self, n_blocks):
        """Train only the last `n_blocks` transformer blocks and the final norm; a negative number trains everything.

        With low-rank changes only those learn, in the same blocks.
        """
        transformer = self.network.transformer_encoder
        if n_blocks < 0 and not self.lora_rank:
            return
        self.requires_grad_(False)
        first = 0 if n_blocks < 0 else max(0, self.config.n_layers - n_blocks)
        parts = (*transformer.atts[first:], *transformer.ffs[first:])
        if self.lora_rank:
            parts = tuple(part.lora for part in parts)
        else:
            parts += tuple(transformer.scales[2 * first :])
        for part in parts:
            part.requires_grad_(n_blocks != 0)
        if self.head is not None and not self.lora_rank:
            self.head.requires_grad_(n_blocks != 0)

    def recompute_activations(self):
        """Keep only what enters each block for the backward pass: less memory, a third more time."""
        self.network.transformer_encoder.recompute = True

    def encode(self, spectra, *, batch_size=32, bfloat16=False):
        """Spectra -> (n, dimension) float32; `bfloat16` for speed on a GPU."""
        features = spectrum_features(spectra, n_peaks=self.n_peaks)
        settings = {"dimension": self.dimension, "batch_size": batch_size, "bfloat16": bfloat16}
        return encode_features(self, features, self, **settings)

    def forward(self, features):
        """`SpectrumFeatures` of b spectra -> (b, dimension) float32."""
        x, key_bias, padding, real = self._enter(features)
        return self._leave(x, key_bias, padding, real, 0)

    def n_tokens(self, features):
        """(n,) int: how many tokens `begin` gives of each spectrum."""
        return (features.peaks.mz > 0).sum(axis=1) + 1 + self.config.fixed_padding

    def begin(self, features, n_blocks):
        """What leaves the first `n_blocks` blocks, for each spectrum (tokens, width + 1): token, and its bias as key.

        Precursor and peaks; with `fixed_padding` then the token that stands for all padding.
        """
        x, key_bias, padding, real = self._enter(features)
        x = self.network.transformer_encoder.blocks(x, key_bias, padding, 0, n_blocks)
        rows = torch.cat([x, key_bias[:, 0, 0, :, None].to(x.dtype)], dim=-1)  # (b, n, w + 1)
        if self.config.fixed_padding:
            real = real.clone()
            real[:, -1] = True
        return [row[keep] for row, keep in zip(rows, real, strict=True)]

    def finish(self, rows, n_blocks):
        """From what `begin` gave of b spectra to (b, dimension)."""
        tail = int(self.config.fixed_padding)
        n = max(len(row) for row in rows)
        packed = rows[0].new_zeros(len(rows), n, rows[0].shape[1])
        packed[..., -1] = NEVER
        real = torch.zeros(len(rows), n, dtype=torch.bool, device=packed.device)
        for i, row in enumerate(rows):
            n_real = len(row) - tail
            packed[i, :n_real] = row[:n_real]
            real[i, :n_real] = True
            if tail:
                packed[i, -1] = row[-1]
        padding = self.network.padding(real) if tail else None
        return self._leave(packed[..., :-1], packed[:, None, None, :, -1], padding, real, n_blocks)

    def _enter(self, features):
        device = self.network.fourier_enc.b.device
        peaks = features.peaks
        precursor_mz = torch.from_numpy(peaks.precursor_mz).to(device)
        condition = None
        if self.conditions is not None:
            adduct = torch.from_numpy(features.adduct).to(device)
            energy_ev = torch.from_numpy(features.energy_ev).to(device)
            condition = self.conditions(adduct, energy_ev, precursor_mz)  # (b, w)
        mz, intensity = (torch.from_numpy(array).to(device) for array in (peaks.mz, peaks.intensity))
        return self.network.enter(precursor_mz, mz, intensity, condition)

    def _leave(self, x, key_bias, padding, real, n_blocks):
        """Blocks from `n_blocks` on, last norm and pooling -> (b, dimension)."""
        n_out = 1 if self.pooling == "precursor" else None
        tokens = self.network.transformer_encoder(x, key_bias, padding, n_out=n_out, first=n_blocks)  # (b, n_out, w)
        if self.pooling == "precursor":
            return tokens[:, 0] if self.head is None else self.head(tokens[:, 0])
        weight = real[..., None].to(tokens.dtype)
        return (tokens * weight).sum(1) / weight.sum(1)


def _with_weights(source, argument):
    """The encoder of a weight file (path or known name), evaluated as published unless options say otherwise."""
    path = weight_file(source)
    weights = read_dreams(path)
    config = weights.config()
    choices = {"n_peaks": config.n_peaks, "n_heads": config.n_heads, "dropout": config.dropout}
    options = parse_options(argument, {"pooling": "precursor", "head": True, **choices})
    pooling, head = options.pop("pooling"), options.pop("head") and weights.has_head
    provenance = {"base": str(Path(path).absolute()), "base_sha256": weights.digest()}
    with torch.device("meta"):  # the weights are taken over, so none are drawn
        encoder = DreamsEncoder(
            weights.config(**options), pooling=pooling, head=head and pooling == "precursor", **provenance
        )
    encoder._load(weights)
    return encoder


def find_base(source, sha256):
    """`DreamsWeights` with this digest: at `source`, or in a store under any name of a spectral encoder."""
    places = [path for path in (weight_file(source, missing_ok=True), *stored_spectral_encoders()) if path is not None]
    for path in dict.fromkeys(places):
        weights = read_dreams(path)
        if weights.digest() == sha256:
            return weights
    found = "other weights lie there" if places else "it is not there"
    raise MismatchError(
        f"the model is a change of weights {sha256[:12]}, {found}",
        where=source,
        advice="put the file back, or `sb-models add` it",
    )


def _size(shape):
    return "none" if shape is None else " x ".join(map(str, shape))
