"""What an encoder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch

    from specbridge_tools.encoders.spectral.features import SpectrumFeatures


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
    """A torch module over `SpectrumFeatures`; `bridge.model` puts the projector on top.

    dimension    length of a vector
    n_peaks      how many of the highest peaks it reads
    fixed_width  peaks are always padded to `n_peaks`, not to the longest of the batch
    """

    dimension: int
    n_peaks: int
    fixed_width: bool

    def forward(self, features: SpectrumFeatures) -> torch.Tensor:
        """Features of b spectra -> (b, dimension) float32."""
        ...

    def describe(self) -> dict:
        """Registry name and plain values; `from_description` of the class rebuilds the encoder without its weights."""
        ...

    def freeze_below(self, n_blocks: int) -> None:
        """Leave only the last `n_blocks` blocks to be trained; a negative number trains everything."""
        ...
