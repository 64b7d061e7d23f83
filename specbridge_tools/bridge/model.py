"""Spectral encoder + projector (+ molecule head): spectra and molecules in one space."""

import dataclasses

import torch
from torch import nn

from specbridge_tools.bridge.projector import PROJECTORS, MoleculeHead, unit_norm
from specbridge_tools.encoders.base import LowRankEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.batches import WIDE, encode_features, place_rows
from specbridge_tools.encoders.spectral.features import spectrum_features


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """What rebuilds a model without its weights.

    encoder                   plain values of the spectral encoder (`describe`)
    molecule_encoder          name of the frozen molecular encoder, and the hash of its weights
    dimension                 of the molecules' space
    projector_hidden, _depth  sizes of the spectral side
    molecule_head_depth       residual blocks on the molecular side, 0 for none
    dropout                   of projector and head, in training
    projector                 its kind, a name of `projector.PROJECTORS`
    """

    encoder: dict
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

    name, weights_sha256  of the model file; empty before it is saved
    molecule_head_sha256  hash of the head's tensors, '' without a head
    calibration           values that turn scores into probabilities, or None
    training              summary of the training, plain values
    """

    def __init__(self, config, encoder=None):
        super().__init__()
        self.config = config
        encoder_class = SPECTRUM_ENCODERS.find(config.encoder["name"])
        self.encoder = encoder or encoder_class.from_description(config.encoder)
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
        self.weights_sha256 = ""
        self.molecule_head_sha256 = ""
        self.calibration = None
        self.training_summary = {}

    @property
    def dimension(self):
        return self.config.dimension

    @property
    def molecule_encoder(self):
        return self.config.molecule_encoder

    @property
    def molecule_encoder_sha256(self):
        return self.config.molecule_encoder_sha256

    def stored_state(self):
        """What a file keeps of the state dict: all but the frozen base of an encoder with low-rank changes."""
        base = self.encoder.base_tensors() if isinstance(self.encoder, LowRankEncoder) else set()
        left_out = {f"encoder.{name}" for name in base}
        return {name: tensor for name, tensor in self.state_dict().items() if name not in left_out}

    def load_stored_state(self, tensors):
        """Take over what `stored_state` gave -> names of (missing, unexpected) tensors."""
        found = self.load_state_dict(tensors, strict=False)
        wanted = self.stored_state()
        return [name for name in found.missing_keys if name in wanted], found.unexpected_keys

    def forward(self, features):
        """`SpectrumFeatures` of b spectra -> (b, dimension), unit norm."""
        return self.project(self.encoder(features))

    def project(self, encoded):
        """The encoder's vectors (b, its dimension) -> (b, dimension), unit norm."""
        return unit_norm(self.projector(encoded).float())

    def place_molecules(self, vectors):
        """Frozen vectors (..., dimension) -> the space that spectra are scored in, unit norm."""
        vectors = unit_norm(vectors)
        return vectors if self.molecule_head is None else unit_norm(self.molecule_head(vectors))

    def learn_vocabulary(self, features):
        """Let an encoder that reads by a vocabulary choose it from the `SpectrumFeatures` it will be trained on."""
        self.encoder.learn_vocabulary(features)
        self.config = dataclasses.replace(self.config, encoder=self.encoder.describe())

    def features(self, spectra):
        """Spectra -> `SpectrumFeatures` as the encoder reads them."""
        return spectrum_features(spectra, n_peaks=self.encoder.n_peaks, fixed_width=self.encoder.fixed_width)

    def encode(self, spectra, *, batch_size=32):
        """Spectra -> (n, dimension) float32, unit norm, on the model's device."""
        return self.encode_features(self.features(spectra), batch_size=batch_size)

    def encode_features(self, features, *, batch_size=32):
        """`SpectrumFeatures` -> (n, dimension) float32, unit norm; a row does not depend on the others.

        A wide encoder reads them in bfloat16 on a GPU.
        """
        bfloat16 = self.log_scale.device.type == "cuda" and self.encoder.dimension >= WIDE
        return encode_features(
            self, features, self.encoder, dimension=self.dimension, batch_size=batch_size, bfloat16=bfloat16
        )

    def encode_molecules(self, vectors):
        """Vectors of the molecular encoder (n, dimension) -> (n, dimension) float32, unit norm, row by row the same
        whatever the others are."""
        self.eval()
        return place_rows(self.place_molecules, vectors, dimension=self.dimension, device=self.log_scale.device)
