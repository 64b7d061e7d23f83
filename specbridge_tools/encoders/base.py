"""What an encoder is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from specbridge_tools.spectra.spectrum import Spectrum


class MoleculeEncoder(Protocol):
    """Frozen: the same SMILES gives the same vector, whatever stands beside it in the batch.

    name            as the registry and every file that we write spell it, with the options that change the vectors
    dimension       length of a vector
    weights_sha256  hash of the weights, or of the options where there are none
    truncated       SMILES that were too long and were cut, in the order seen
    """

    name: str
    dimension: int
    weights_sha256: str
    truncated: list[str]

    def encode(self, smiles: Sequence[str]) -> np.ndarray:
        """Canonical SMILES -> (n, dimension) float32; not normalised."""
        ...


class SpectrumEncoder(Protocol):
    """A spectral encoder, or a whole model (encoder + bridge), whose vectors are then in the molecules' space."""

    name: str
    dimension: int
    weights_sha256: str

    def encode(self, spectra: Sequence[Spectrum]) -> np.ndarray:
        """Spectra -> (n, dimension) float32; a model's rows have unit norm."""
        ...
