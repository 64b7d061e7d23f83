"""Spectral encoder + projector (+ molecule head): spectra and molecules in one space."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from specbridge_tools.bridge.projector import PROJECTORS, MoleculeHead, unit_norm
from specbridge_tools.encoders.base import LowRankEncoder, SpectrumEncoder, VocabularyEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.batches import WIDE, encode_features, place_rows
from specbridge_tools.encoders.spectral.features import SpectrumFeatures, spectrum_features
from specbridge_tools.spectra.spectrum import Spectrum


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Rebuilds a model without its weights.

    Attributes:
        encoder: Plain values of the spectral encoder (`describe`).
        molecule_encoder: Name of the frozen molecular encoder.
        molecule_encoder_sha256: Hash of its weights.
        dimension: Of the molecules' space.
        projector_hidden: Hidden width of the projector.
        projector_depth: Residual blocks of the projector.
        molecule_head_depth: Residual blocks on the molecular side, 0 for none.
        dropout: Of projector and molecule head, in training.
        projector: Its kind, a name in `PROJECTORS`.
    """

    encoder: dict[str, Any]
    molecule_encoder: str
    molecule_encoder_sha256: str
    dimension: int
    projector_hidden: int = 512
    projector_depth: int = 2
    molecule_head_depth: int = 0
    dropout: float = 0.1
    projector: str = "residual"


class AlignedModel(nn.Module):
    """Itself a spectral encoder, whose unit vectors lie in the molecules' space: the score is their inner product.

    Attributes:
        name: Of the model file; '' before it is saved.
        path: Of the model file; None for the model that ships, and before it is saved.
        weights_sha256: Hash of the model file, '' before it is saved.
        molecule_head_sha256: Hash of the head's tensors, '' without a head.
        calibration: Values that turn scores into probabilities, or None.
        training_summary: Plain values.
    """

    def __init__(self, config: ModelConfig, encoder: SpectrumEncoder | None = None) -> None:
        super().__init__()
        self.config = config
        encoder_class = SPECTRUM_ENCODERS.find(config.encoder["name"])
        self.encoder: SpectrumEncoder = encoder or encoder_class.from_description(config.encoder)
        self.projector = PROJECTORS[config.projector](
            self.encoder.dimension,
            config.dimension,
            hidden=config.projector_hidden,
            depth=config.projector_depth,
            dropout=config.dropout,
        )
        self.molecule_head = None
        if config.molecule_head_depth:
            self.molecule_head = MoleculeHead(
                config.dimension, depth=config.molecule_head_depth, dropout=config.dropout
            )
        # learned temperature of the ranking losses, the logarithm of the factor on the cosine
        self.log_scale = nn.Parameter(torch.tensor(3.0))
        self.name = ""
        self.path: str | os.PathLike[str] | None = None
        self.weights_sha256 = ""
        self.molecule_head_sha256 = ""
        self.calibration: dict[str, float] | None = None
        self.training_summary: dict[str, Any] = {}

    @property
    def dimension(self) -> int:
        return self.config.dimension

    @property
    def molecule_encoder(self) -> str:
        return self.config.molecule_encoder

    @property
    def molecule_encoder_sha256(self) -> str:
        return self.config.molecule_encoder_sha256

    def stored_state(self) -> dict[str, torch.Tensor]:
        """The tensors that a model file holds: all but the frozen base of an encoder with low-rank changes."""
        base = self.encoder.base_tensors() if isinstance(self.encoder, LowRankEncoder) else set()
        left_out = {f"encoder.{name}" for name in base}
        return {name: tensor for name, tensor in self.state_dict().items() if name not in left_out}

    def load_stored_state(self, tensors: Mapping[str, torch.Tensor]) -> tuple[list[str], list[str]]:
        """Take over tensors as `stored_state` returns them.

        Returns:
            Names of missing and of unexpected tensors.
        """
        result = self.load_state_dict(tensors, strict=False)
        stored = self.stored_state()
        return [name for name in result.missing_keys if name in stored], result.unexpected_keys

    def forward(self, features: SpectrumFeatures) -> torch.Tensor:
        """Features of b spectra -> (b, dimension), unit norm."""
        return self.project(self.encoder(features))

    def project(self, encoded: torch.Tensor) -> torch.Tensor:
        """The encoder's vectors (b, its dimension) -> (b, dimension), unit norm."""
        return unit_norm(self.projector(encoded).float())

    def place_molecules(self, vectors: torch.Tensor) -> torch.Tensor:
        """Frozen vectors (..., dimension) -> the space that spectra are scored in, unit norm."""
        vectors = unit_norm(vectors)
        return vectors if self.molecule_head is None else unit_norm(self.molecule_head(vectors))

    def learn_vocabulary(self, features: SpectrumFeatures) -> None:
        """Let the encoder choose its vocabulary, if it has one, from the spectra that it will be trained on."""
        if isinstance(self.encoder, VocabularyEncoder):
            self.encoder.learn_vocabulary(features)
            self.config = dataclasses.replace(self.config, encoder=self.encoder.describe())

    def features(self, spectra: Sequence[Spectrum]) -> SpectrumFeatures:
        """Features of spectra as the encoder reads them."""
        return spectrum_features(spectra, n_peaks=self.encoder.n_peaks, fixed_width=self.encoder.fixed_width)

    def encode(self, spectra: Sequence[Spectrum], *, batch_size: int = 32) -> NDArray[np.float32]:
        """Encode n spectra as (n, dimension), unit norm, on the model's device."""
        return self.encode_features(self.features(spectra), batch_size=batch_size)

    def encode_features(self, features: SpectrumFeatures, *, batch_size: int = 32) -> NDArray[np.float32]:
        """Encode n spectra as (n, dimension), unit norm; a row does not depend on the others.

        A wide encoder computes in bfloat16 on a GPU.
        """
        bfloat16 = self.log_scale.device.type == "cuda" and self.encoder.dimension >= WIDE
        return encode_features(
            self, features, self.encoder, dimension=self.dimension, batch_size=batch_size, bfloat16=bfloat16
        )

    def encode_molecules(self, vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Place vectors (n, dimension) of the molecular encoder: the same shape, unit norm.

        A row does not depend on the others.
        """
        self.eval()
        return place_rows(self.place_molecules, vectors, dimension=self.dimension, device=self.log_scale.device)
