"""Which spectra and decoys a batch holds: a pure function of seed, epoch and step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.cached_features import CachedFeatures
from specbridge_tools.bridge.model import AlignedModel
from specbridge_tools.bridge.pairs import Pairs

_BATCHES_SORTED = 16


@dataclasses.dataclass(frozen=True)
class Batch:
    """What the losses see: b spectra, n decoys of each, dimension d.

    Attributes:
        spectra: (b, d), unit norm.
        molecules: (b, d), unit norm.
        molecule_index: (b,) int64, the same for spectra of one molecule.
        decoys: (b, n, d), unit norm.
        decoy_mask: (b, n) bool, False if a molecule has fewer decoys.
        scale: (), factor on the cosine.
    """

    spectra: torch.Tensor
    molecules: torch.Tensor
    molecule_index: torch.Tensor
    decoys: torch.Tensor | None
    decoy_mask: torch.Tensor | None
    scale: torch.Tensor


def epoch_batches(
    pairs: Pairs, *, batch_size: int, spectra_per_molecule: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Rows of each batch of an epoch: every molecule up to `spectra_per_molecule` times, no spectrum twice.

    Within 16 batches, spectra of similar length share a batch, which saves padding.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(pairs))
    order = order[np.argsort(pairs.molecule[order], kind="stable")]
    molecule = pairs.molecule[order]
    starts = np.flatnonzero(np.r_[True, molecule[1:] != molecule[:-1]])
    position = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    rows = rng.permutation(order[position < spectra_per_molecule])
    lengths = (pairs.features.peaks.mz > 0).sum(axis=1)
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(rows), batch_size * _BATCHES_SORTED):
        several = rows[start : start + batch_size * _BATCHES_SORTED]
        several = several[np.argsort(lengths[several], kind="stable")]
        batches.extend(np.split(several, range(batch_size, len(several), batch_size)))
    return [batches[i] for i in rng.permutation(len(batches))]


def make_batch(
    model: AlignedModel,
    pairs: Pairs,
    rows: NDArray[np.int64],
    *,
    n_decoys: int,
    augmentation: Augmentation,
    bfloat16: bool,
    seed: int | Sequence[int],
    cached: CachedFeatures | None = None,
) -> Batch:
    """Encode spectra, and place their molecules and decoys.

    Args:
        model: Encodes the spectra and places the molecules.
        pairs: Spectra, molecules and decoys.
        rows: (b,), of the spectra.
        n_decoys: Drawn for each spectrum.
        augmentation: Of the spectra.
        bfloat16: Whether the spectral encoder computes in bfloat16; the losses are in float32 anyway.
        seed: Of decoys and augmentation.
        cached: Of the spectra, which are then not augmented.
    """
    rng = np.random.default_rng(seed)
    features = pairs.features.take(rows, width=model.encoder.n_peaks if model.encoder.fixed_width else None)
    device = model.log_scale.device
    truths = pairs.molecule[rows]
    decoys = decoy_mask = None
    if n_decoys:
        drawn, mask = _draw_decoys(pairs, truths, n_decoys, rng)
        decoys = model.place_molecules(_vectors(pairs, drawn, device))
        decoy_mask = torch.from_numpy(mask).to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
        # (b, d)
        spectra = model.project(cached.encode(rows)) if cached else model(augmentation.apply(features, rng))
    return Batch(
        spectra=spectra.float(),
        molecules=model.place_molecules(_vectors(pairs, truths, device)),
        molecule_index=torch.from_numpy(truths).to(device),
        decoys=decoys,
        decoy_mask=decoy_mask,
        scale=model.log_scale.exp().clamp(max=100),
    )


def _draw_decoys(
    pairs: Pairs, truths: NDArray[np.int64], n_decoys: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of decoys (b, n), and which of them there are."""
    rows = np.zeros((len(truths), n_decoys), np.int64)
    mask = np.zeros((len(truths), n_decoys), bool)
    for i, truth in enumerate(truths):
        decoys = pairs.decoys[int(truth)]
        drawn = decoys if len(decoys) <= n_decoys else rng.choice(decoys, n_decoys, replace=False)
        rows[i, : len(drawn)] = drawn
        mask[i, : len(drawn)] = True
    return rows, mask


def _vectors(pairs: Pairs, rows: NDArray[np.int64], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(pairs.library.vectors[rows].astype(np.float32)).to(device)
