"""What the frozen layers of a spectral encoder make of each spectrum, kept on disk between epochs."""

import contextlib
import hashlib
from pathlib import Path

import numpy as np
import torch

from specbridge_tools.encoders.base import BlockEncoder
from specbridge_tools.errors import UsageError
from specbridge_tools.streams import output_path

_BATCH = 32


class FrozenFeatures:
    """Tokens of n spectra as they enter the first trained block, in a file that is read as it is needed.

    The file holds (tokens, width + 1) float32: the tokens of each spectrum in turn, and their bias as keys.
    """

    def __init__(self, path, encoder, starts, first):
        self._encoder = encoder
        self._starts = starts
        self._first = first
        self._rows = np.memmap(path, np.float32, "r", shape=(starts[-1], encoder.dimension + 1))

    def encode(self, rows):
        """The encoder's vectors (b, dimension) of these spectra, with gradients of the trained layers alone."""
        parts = [np.array(self._rows[self._starts[row] : self._starts[row + 1]]) for row in rows]
        device = next(self._encoder.parameters()).device
        return self._encoder.encode_last_blocks([torch.from_numpy(part).to(device) for part in parts], self._first)


def frozen_features(folder, encoder, features, unfrozen_blocks):
    """`FrozenFeatures` of `SpectrumFeatures` in `folder`, made now unless they are there from an earlier run.

    Files are named by a hash of the frozen weights and the spectra, so that others are never taken for them.
    """
    if not isinstance(encoder, BlockEncoder) or unfrozen_blocks < 0 or encoder.describe().get("lora_rank"):
        raise UsageError("nothing of this encoder is frozen that could be kept", advice="--unfrozen-blocks N")
    first = max(0, encoder.n_blocks - unfrozen_blocks)
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{_key(encoder, features, first)}.features"
    starts = np.r_[0, np.cumsum(encoder.n_tokens(features))]
    if not path.exists():
        with output_path(path) as temporary, open(temporary, "wb") as file:
            for part in _tokens(encoder, features, first):
                file.write(part.tobytes())
    return FrozenFeatures(path, encoder, starts, first)


@torch.inference_mode()
def _tokens(encoder, features, first):
    was_training = encoder.training
    encoder.eval()
    with contextlib.ExitStack() as stack:
        stack.callback(encoder.train, was_training)
        for start in range(0, len(features), _BATCH):
            rows = np.arange(start, min(start + _BATCH, len(features)))
            yield from (part.float().cpu().numpy() for part in encoder.encode_first_blocks(features.take(rows), first))


def _key(encoder, features, first):
    digest = hashlib.sha256(f"{first} {sorted(encoder.describe().items())}".encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy())
    peaks = features.peaks
    for array in (peaks.precursor_mz, peaks.mz, peaks.intensity, features.adduct, features.energy_ev):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:32]
