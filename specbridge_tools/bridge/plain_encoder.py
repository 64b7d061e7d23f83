"""Vectors of a spectral encoder alone, without a bridge into the space of molecules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from specbridge_tools.device import pick_device
from specbridge_tools.encoders.base import FixedEncoder, SpectrumEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.batches import encode_features
from specbridge_tools.encoders.spectral.features import spectrum_features
from specbridge_tools.errors import UsageError
from specbridge_tools.provenance import sha256_values
from specbridge_tools.spectra.spectrum import Spectrum


class PlainEncoder:
    """A spectral encoder in the place of a model: its vectors as they are, in a space of its own.

    Molecules have no vectors in that space: no index is searched with these.

    Attributes:
        name: As it was asked for.
        weights_sha256: Hash of the weights, or of the options where there are none.
        molecule_encoder: Name of the space, which is that of the encoder itself, with the options that change vectors.
        molecule_encoder_sha256: The same as `weights_sha256`.
        molecule_head_sha256: ''.
        dimension: Length of a vector.
    """

    molecule_head_sha256 = ""

    def __init__(self, spec: str, *, device: str = "cpu") -> None:
        """Make the encoder `NAME:ARGUMENT`.

        Raises:
            UsageError: Where it is not known, or its weights would be new, random ones.
        """
        encoder: SpectrumEncoder = SPECTRUM_ENCODERS.create(spec)
        if not isinstance(encoder, FixedEncoder) or not encoder.weights_sha256:
            advice = "name its weights, as in dreams:PATH, or a model made by sb-finetune"
            raise UsageError(f"the spectral encoder {spec} has new, random weights", advice=advice)
        assert isinstance(encoder, nn.Module)  # as every spectral encoder
        self._network = encoder.to(pick_device(device)).eval()
        self._encoder: SpectrumEncoder = encoder
        self.name = spec
        self.molecule_encoder = encoder.name
        self.weights_sha256 = self.molecule_encoder_sha256 = encoder.weights_sha256
        self.dimension: int = encoder.dimension

    def digest(self) -> str:
        """Hash of all that changes the vectors, for the provenance of parts."""
        return sha256_values({"encoder": self.molecule_encoder, "weights": self.weights_sha256})

    def encode(self, spectra: Sequence[Spectrum], *, batch_size: int = 32) -> NDArray[np.float32]:
        """Encode n spectra as (n, dimension), not normalised, in float32; a row does not depend on the others."""
        encoder = self._encoder
        features = spectrum_features(spectra, n_peaks=encoder.n_peaks, fixed_width=encoder.fixed_width)
        return encode_features(self._network, features, encoder, dimension=self.dimension, batch_size=batch_size)


def is_encoder(source: str | os.PathLike[str] | None) -> bool:
    """Whether what stands in the place of a model names a spectral encoder, `NAME` or `NAME:ARGUMENT`; a file wins."""
    if source is None or Path(source).exists():
        return False
    return str(source).partition(":")[0] in SPECTRUM_ENCODERS.names()
