"""The DreaMS transformer as a spectral encoder: features in, one vector per spectrum out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from specbridge_tools.encoders.registry import parse_options
from specbridge_tools.encoders.spectral.batches import encode_features
from specbridge_tools.encoders.spectral.conditions import ConditionEmbedding
from specbridge_tools.encoders.spectral.dreams.network import NEVER, DreamsConfig, DreamsNetwork
from specbridge_tools.encoders.spectral.dreams.transformer import Padding
from specbridge_tools.encoders.spectral.dreams.weights import DreamsWeights, find_base, read_dreams
from specbridge_tools.encoders.spectral.features import SpectrumFeatures, spectrum_features
from specbridge_tools.errors import UsageError
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.weights.empty_network import WithoutInitialValues
from specbridge_tools.weights.plain_values import config_of, value_of
from specbridge_tools.weights.store import weight_file
from specbridge_tools.weights.tensor_file import check_shapes

POOLINGS = ("precursor", "mean")
_NOT_CONFIG: dict[str, type[Any]] = {"pooling": str, "head": bool, "lora_rank": int, "base": str, "base_sha256": str}


class DreamsEncoder(nn.Module):
    """`DreamsNetwork` with its conditions and its pooling: the precursor token, or the mean over all real tokens.

    Attributes:
        head: A linear map behind the precursor token, as the published embedding model has it, or None.
        lora_rank: Rank of trained changes beside frozen weights, whose hash is then `base_sha256`; 0 for none.
        base_sha256: Hash of the weights that the encoder was made with (`DreamsWeights.digest`), '' where it was made
            anew.
        base: Where they were, which is where they are looked for first.
    """

    fixed_width = False  # the network counts padding that is not there

    def __init__(
        self,
        config: DreamsConfig | None = None,
        *,
        pooling: str = "precursor",
        head: bool = False,
        lora_rank: int = 0,
        base: str = "",
        base_sha256: str = "",
    ) -> None:
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
    def from_argument(cls, argument: str) -> DreamsEncoder:
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

    def describe(self) -> dict[str, Any]:
        """Registry name and plain values that rebuild the encoder without its weights."""
        values = {"name": "dreams", "pooling": self.pooling, **dataclasses.asdict(self.config)}
        if self.base_sha256:
            values |= {"head": self.head is not None, "lora_rank": self.lora_rank}
            values |= {"base": self.base, "base_sha256": self.base_sha256}
        return values

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> DreamsEncoder:
        others = {
            name: value_of(description, name, kind, "dreams")
            for name, kind in _NOT_CONFIG.items()
            if name in description
        }
        values = {key: value for key, value in description.items() if key not in ("name", *_NOT_CONFIG)}
        return cls(config_of(DreamsConfig, values, "dreams"), **others)

    @property
    def name(self) -> str:
        """As files spell it: the options that weights do not show, and that change the vectors."""
        head = "" if self.head is None else ",head=true"
        return f"dreams:pooling={self.pooling}{head},n_peaks={self.n_peaks},n_heads={self.config.n_heads}"

    @property
    def weights_sha256(self) -> str:
        """Hash of the published weights, '' where the weights are new ones."""
        return self.base_sha256

    @property
    def n_blocks(self) -> int:
        return self.config.n_layers

    def add_low_rank(self, rank: int) -> None:
        """Freeze the weights and put trained changes of this rank beside those of attention and feed-forward."""
        if not self.base_sha256:
            raise UsageError("low-rank training needs weights to start from", advice="--spectral-encoder dreams:PATH")
        self.requires_grad_(False)
        self.lora_rank = rank
        transformer = self.network.transformer_encoder
        for part in (*transformer.atts, *transformer.ffs):
            part.add_low_rank(rank)

    def base_tensors(self) -> set[str]:
        """Names of the tensors that a model file leaves out: those of the base, where only low-rank changes learn."""
        return {name for name in self.state_dict() if ".lora." not in name} if self.lora_rank else set()

    def load_base(self) -> None:
        """Read the weights whose hash is `base_sha256` from `base` or a store; `MismatchError` without them."""
        self._load(find_base(self.base, self.base_sha256))

    def _load(self, weights: DreamsWeights) -> None:
        """Take over tensors; `MismatchError` where their names or shapes are not those of the configuration."""
        prefixed = {f"network.{name}": tensor for name, tensor in weights.tensors.items() if "head." not in name}
        if self.head is not None:
            prefixed |= {name: tensor for name, tensor in weights.tensors.items() if name.startswith("head.")}
        expected = {name: tensor.shape for name, tensor in self.state_dict().items() if ".lora." not in name}
        found = {name: tensor.shape for name, tensor in prefixed.items()}
        check_shapes(found, expected, self.base, advice="use weights of the published architecture")
        self.load_state_dict(prefixed, strict=False, assign=True)

    def freeze_below(self, n_blocks: int) -> None:
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

    def recompute_activations(self) -> None:
        """Keep only what enters each block for the backward pass, and no Fourier features: a third of the memory."""
        self.network.recompute = self.network.transformer_encoder.recompute = True

    def encode(
        self, spectra: Sequence[Spectrum], *, batch_size: int = 32, bfloat16: bool = False
    ) -> NDArray[np.float32]:
        """Spectra -> (n, dimension); `bfloat16` for speed on a GPU."""
        features = spectrum_features(spectra, n_peaks=self.n_peaks)
        return encode_features(self, features, self, dimension=self.dimension, batch_size=batch_size, bfloat16=bfloat16)

    def forward(self, features: SpectrumFeatures) -> torch.Tensor:
        """Features of b spectra -> (b, dimension) float32."""
        x, key_bias, padding, real = self._embed_tokens(features)
        return self._pool_last_blocks(x, key_bias, padding, real, 0)

    def n_tokens(self, features: SpectrumFeatures) -> NDArray[np.int64]:
        """(n,): how many tokens `encode_first_blocks` returns for each spectrum."""
        return (features.peaks.mz > 0).sum(axis=1) + 1 + self.config.fixed_padding

    def encode_first_blocks(self, features: SpectrumFeatures, n_blocks: int) -> list[torch.Tensor]:
        """Spectra through the first `n_blocks` blocks.

        Returns:
            (tokens, width + 1) for each spectrum: a token, and its bias as a key. They are the precursor and the
            peaks; with `fixed_padding` then the token that stands for all padding.
        """
        x, key_bias, padding, real = self._embed_tokens(features)
        x = self.network.transformer_encoder.blocks(x, key_bias, padding, 0, n_blocks)
        rows = torch.cat([x, key_bias[:, 0, 0, :, None].to(x.dtype)], dim=-1)  # (b, n, w + 1)
        if self.config.fixed_padding:
            real = real.clone()
            real[:, -1] = True
        return [row[keep] for row, keep in zip(rows, real, strict=True)]

    def encode_last_blocks(self, rows: Sequence[torch.Tensor], n_blocks: int) -> torch.Tensor:
        """What `encode_first_blocks` returned for b spectra, through the other blocks -> (b, dimension)."""
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
        return self._pool_last_blocks(packed[..., :-1], packed[:, None, None, :, -1], padding, real, n_blocks)

    def _embed_tokens(
        self, features: SpectrumFeatures
    ) -> tuple[torch.Tensor, torch.Tensor, Padding | None, torch.Tensor]:
        """What `DreamsNetwork.embed_tokens` returns."""
        device = self.network.fourier_enc.b.device
        peaks = features.peaks
        precursor_mz = torch.from_numpy(peaks.precursor_mz).to(device)
        condition = None
        if self.conditions is not None:
            adduct = torch.from_numpy(features.adduct).to(device)
            energy_ev = torch.from_numpy(features.energy_ev).to(device)
            condition = self.conditions(adduct, energy_ev, precursor_mz)  # (b, w)
        mz, intensity = (torch.from_numpy(array).to(device) for array in (peaks.mz, peaks.intensity))
        return self.network.embed_tokens(precursor_mz, mz, intensity, condition)

    def _pool_last_blocks(
        self, x: torch.Tensor, key_bias: torch.Tensor, padding: Padding | None, real: torch.Tensor, n_blocks: int
    ) -> torch.Tensor:
        """Blocks from `n_blocks` on, last norm and pooling -> (b, dimension)."""
        n_out = 1 if self.pooling == "precursor" else None
        tokens = self.network.transformer_encoder(x, key_bias, padding, n_out=n_out, first=n_blocks)  # (b, n_out, w)
        if self.pooling == "precursor":
            return tokens[:, 0] if self.head is None else self.head(tokens[:, 0])
        weight = real[..., None].to(tokens.dtype)
        return (tokens * weight).sum(1) / weight.sum(1)


def _with_weights(source: str, argument: str) -> DreamsEncoder:
    """The encoder of a weight file (path or known name), used as published unless options say otherwise."""
    path = weight_file(source)
    weights = read_dreams(path)
    config = weights.config()
    choices = {"n_peaks": config.n_peaks, "n_heads": config.n_heads, "dropout": config.dropout}
    options = parse_options(argument, {"pooling": "precursor", "head": True, **choices})
    pooling, head = options.pop("pooling"), options.pop("head") and weights.has_head
    with torch.device("meta"), WithoutInitialValues():  # the weights are taken over, so none are made
        encoder = DreamsEncoder(
            weights.config(**options),
            pooling=pooling,
            head=head and pooling == "precursor",
            base=str(Path(path).absolute()),
            base_sha256=weights.digest(),
        )
    encoder._load(weights)
    return encoder
