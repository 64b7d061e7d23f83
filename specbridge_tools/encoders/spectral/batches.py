"""Spectra through a network in batches whose shapes do not depend on what is encoded."""

import numpy as np
import torch

from specbridge_tools.encoders.one_thread import each_on_one_thread, even_rows, whole_rows

_WIDTHS = (4, 8, 16, 32, 64)
WIDE = 512  # dimension from which a transformer is wide
_WIDE_ROWS = 12  # a wide network fills the CPU with these, and few spectra waste little
_PLACED_AT_ONCE = 480


def encode_features(network, features, encoder, *, dimension, batch_size=32, bfloat16=False):
    """`SpectrumFeatures` -> (n, dimension) float32, by `network`, which is `encoder` or has it inside.

    A batch has always the same shape: `batch_size` rows (12 of a wide encoder on the CPU) rounded up to whole blocks of
    the kernels, repeated where too few are left, and one of a few widths. So the vector of a spectrum is the same to
    the last bit whatever is encoded beside it, on one kind of processor. `bfloat16` is for GPUs: faster, and right to
    about 1 %.
    """
    out = np.zeros((len(features), dimension), np.float32)
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    if encoder.dimension >= WIDE and device.type == "cpu":
        batch_size = min(batch_size, _WIDE_ROWS)
    batch_size = even_rows(batch_size)

    @torch.inference_mode()
    def encode(task):
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


def place_rows(place, vectors, *, dimension, device):
    """`place`, a network that maps rows one by one, over (n, d) vectors -> (n, dimension) float32."""
    vectors = np.asarray(vectors, np.float32)
    out = np.zeros((len(vectors), dimension), np.float32)

    @torch.inference_mode()
    def placed(start):
        part = vectors[start : start + _PLACED_AT_ONCE]
        padded = np.resize(part, (whole_rows(len(part)), part.shape[1]))
        out[start : start + len(part)] = place(torch.from_numpy(padded).to(device)).cpu().numpy()[: len(part)]

    each_on_one_thread(placed, range(0, len(vectors), _PLACED_AT_ONCE), device=device)
    return out


def _by_width(peaks, encoder):
    """(width, rows of the spectra that are padded to it), narrow ones first."""
    counts = (peaks.mz > 0).sum(axis=1)
    limits = np.array([*(width for width in _WIDTHS if width < encoder.n_peaks), encoder.n_peaks])
    widths = np.full(len(counts), encoder.n_peaks) if encoder.fixed_width else limits[np.searchsorted(limits, counts)]
    return [(int(width), np.flatnonzero(widths == width)) for width in np.unique(widths)]
