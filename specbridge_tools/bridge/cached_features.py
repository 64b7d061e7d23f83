"""The output of a spectral encoder's frozen layers for each spectrum, kept on disk between epochs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.encoders.base import BlockEncoder, SpectrumEncoder
from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.errors import UsageError
from specbridge_tools.streams import output_path

_BATCH = 32


class CachedFeatures:
    """Tokens of n spectra as they enter the first trained block, in a file that is read as needed.

    The file holds (tokens, width + 1) float32: the tokens of one spectrum after the other, each with its bias as key.
    """

    def __init__(self, path: Path, encoder: BlockEncoder, starts: NDArray[np.int64], n_frozen_blocks: int) -> None:
        """Open a file.

        Args:
            path: Of the file.
            encoder: Made the tokens, and encodes them further.
            starts: (n + 1,): first token of each spectrum, and the number of all tokens.
            n_frozen_blocks: How many blocks the tokens went through.
        """
        self._encoder = encoder
        self._starts = starts
        self._n_frozen_blocks = n_frozen_blocks
        self._tokens = np.memmap(path, np.float32, "r", shape=(int(starts[-1]), encoder.dimension + 1))

    def encode(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Encode these spectra: (b, dimension), with gradients of the trained blocks alone."""
        parts = [np.array(self._tokens[self._starts[row] : self._starts[row + 1]]) for row in rows]
        device = next(self._encoder.parameters()).device
        return self._encoder.encode_last_blocks(
            [torch.from_numpy(part).to(device) for part in parts], self._n_frozen_blocks
        )


def open_cached_features(
    folder: str | os.PathLike[str], encoder: SpectrumEncoder, features: SpectrumFeatures, unfrozen_blocks: int
) -> CachedFeatures:
    """The cached features of spectra, computed now unless an earlier run has left them.

    Args:
        folder: For files, which are named by a hash of the frozen weights and the spectra: a file is never taken for
            another.
        encoder: Of the spectra.
        features: Of the spectra.
        unfrozen_blocks: Last blocks of the encoder, which are trained.

    Raises:
        UsageError: If no block of this encoder is frozen.
    """
    if not isinstance(encoder, BlockEncoder) or unfrozen_blocks < 0 or encoder.describe().get("lora_rank"):
        message = "no block of this encoder is frozen: there is nothing to cache"
        raise UsageError(message, advice="--unfrozen-blocks N")
    n_frozen_blocks = max(0, encoder.n_blocks - unfrozen_blocks)
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{_key(encoder, features, n_frozen_blocks)}.features"
    starts = np.r_[0, np.cumsum(encoder.n_tokens(features))]
    if not path.exists():
        with output_path(path) as temporary, open(temporary, "wb") as file:
            for tokens in _tokens(encoder, features, n_frozen_blocks):
                file.write(tokens.tobytes())
    return CachedFeatures(path, encoder, starts, n_frozen_blocks)


@torch.inference_mode()
def _tokens(encoder: BlockEncoder, features: SpectrumFeatures, n_blocks: int) -> Iterator[NDArray[np.float32]]:
    """Yield (tokens, width + 1) for each spectrum."""
    was_training = encoder.training
    encoder.eval()
    try:
        for start in range(0, len(features), _BATCH):
            rows = np.arange(start, min(start + _BATCH, len(features)))
            for tokens in encoder.encode_first_blocks(features.take(rows), n_blocks):
                yield tokens.float().cpu().numpy()
    finally:
        encoder.train(was_training)


def _key(encoder: SpectrumEncoder, features: SpectrumFeatures, n_blocks: int) -> str:
    digest = hashlib.sha256(f"{n_blocks} {sorted(encoder.describe().items())}".encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy())
    peaks = features.peaks
    arrays: tuple[NDArray[Any], ...] = (
        peaks.precursor_mz,
        peaks.mz,
        peaks.intensity,
        features.adduct,
        features.energy_ev,
    )
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]
