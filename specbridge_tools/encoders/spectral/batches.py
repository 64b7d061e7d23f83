"""Spectra through a network in batches whose shapes do not depend on what is encoded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from specbridge_tools.device import warn_of_slow_bfloat16
from specbridge_tools.encoders.base import SpectrumEncoder
from specbridge_tools.encoders.one_thread import each_on_one_thread, even_rows, whole_rows
from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.spectra.batch import PeakBatch

_WIDTHS = (4, 8, 16, 32, 64)
WIDE = 512  # dimension from which a transformer is wide
_WIDE_ROWS = 12  # a wide network fills the CPU with these, and few spectra waste little
_PLACED_AT_ONCE = 480


def encode_features(
    network: nn.Module,
    features: SpectrumFeatures,
    encoder: SpectrumEncoder,
    *,
    dimension: int,
    batch_size: int = 32,
    bfloat16: bool = False,
) -> NDArray[np.float32]:
    """Encode spectra by a network that is `encoder` or has it inside.

    A batch always has the same shape: `batch_size` rows (12 of a wide encoder on the CPU) rounded up to whole blocks of
    the kernels, repeated where too few are left, and one of a few widths. So the vector of a spectrum is the same to
    the last bit whatever else is encoded, on one kind of processor.

    Args:
        network: Features of b spectra -> (b, dimension).
        features: Of n spectra.
        encoder: Says how many peaks are read.
        dimension: Length of a vector of `network`.
        batch_size: At least so many spectra at once.
        bfloat16: For GPUs: faster, and right to about 1 %. Most CPUs are slower with it, of which a warning tells.

    Returns:
        (n, dimension).
    """
    out = np.zeros((len(features), dimension), np.float32)
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    if bfloat16:
        warn_of_slow_bfloat16(device)
    if encoder.dimension >= WIDE and device.type == "cpu":
        batch_size = min(batch_size, _WIDE_ROWS)
    batch_size = even_rows(batch_size)

    @torch.inference_mode()
    def encode(task: tuple[int, NDArray[np.intp]]) -> NDArray[np.float32]:
        width, part = task
        batch = features.take(np.resize(part, batch_size), width=width)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            return network(batch).float().cpu().numpy()[: len(part)]

    tasks = [
        (width, rows[start : start + batch_size])
        for width, rows in _by_width(features.peaks, encoder)
        for start in range(0, len(rows), batch_size)
    ]
    was_training = network.training
    network.eval()
    for (_, part), vectors in zip(tasks, each_on_one_thread(encode, tasks, device=device), strict=True):
        out[part] = vectors
    network.train(was_training)
    return out


def place_rows(
    place: Callable[[torch.Tensor], torch.Tensor], vectors: ArrayLike, *, dimension: int, device: torch.device
) -> NDArray[np.float32]:
    """Map (n, d) vectors by a network that maps rows one by one -> (n, dimension)."""
    rows = np.asarray(vectors, np.float32)
    out = np.zeros((len(rows), dimension), np.float32)

    @torch.inference_mode()
    def placed(start: int) -> None:
        part = rows[start : start + _PLACED_AT_ONCE]
        padded = np.resize(part, (whole_rows(len(part)), part.shape[1]))
        out[start : start + len(part)] = place(torch.from_numpy(padded).to(device)).cpu().numpy()[: len(part)]

    each_on_one_thread(placed, range(0, len(rows), _PLACED_AT_ONCE), device=device)
    return out


def _by_width(peaks: PeakBatch, encoder: SpectrumEncoder) -> list[tuple[int, NDArray[np.intp]]]:
    """(width, rows of the spectra that are padded to it), narrow ones first."""
    counts = (peaks.mz > 0).sum(axis=1)
    limits = np.array([*(width for width in _WIDTHS if width < encoder.n_peaks), encoder.n_peaks])
    widths = np.full(len(counts), encoder.n_peaks) if encoder.fixed_width else limits[np.searchsorted(limits, counts)]
    return [(int(width), np.flatnonzero(widths == width)) for width in np.unique(widths)]
