"""Spectra through a network in batches whose shapes do not depend on what is encoded."""

import numpy as np
import torch

_WIDTHS = (4, 8, 16, 32, 64)
WIDE = 512  # dimension from which an encoder is wide
_WIDE_ROWS = 8  # a wide network fills the CPU with these, and few spectra waste little


@torch.inference_mode()
def encode_features(network, features, encoder, *, dimension, batch_size=32, bfloat16=False):
    """`SpectrumFeatures` -> (n, dimension) float32, by `network`, which is `encoder` or has it inside.

    A batch has always the same shape: `batch_size` rows (at most 8 of a wide encoder on the CPU), repeated where too
    few are left, and one of a few widths. So the vector of a spectrum depends on what is encoded beside it in its last
    bits at most (1e-6). `bfloat16` is for GPUs: faster, and right to about 1 %.
    """
    out = np.zeros((len(features), dimension), np.float32)
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    if encoder.dimension >= WIDE and device.type == "cpu":
        batch_size = min(batch_size, _WIDE_ROWS)
    was_training = network.training
    network.eval()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
        for width, rows in _by_width(features.peaks, encoder):
            for start in range(0, len(rows), batch_size):
                part = rows[start : start + batch_size]
                batch = features.take(np.resize(part, batch_size), width=width)
                out[part] = network(batch).float().cpu().numpy()[: len(part)]
    network.train(was_training)
    return out


def _by_width(peaks, encoder):
    """(width, rows of the spectra that are padded to it), narrow ones first."""
    counts = (peaks.mz > 0).sum(axis=1)
    limits = np.array([*(width for width in _WIDTHS if width < encoder.n_peaks), encoder.n_peaks])
    widths = np.full(len(counts), encoder.n_peaks) if encoder.fixed_width else limits[np.searchsorted(limits, counts)]
    return [(int(width), np.flatnonzero(widths == width)) for width in np.unique(widths)]
