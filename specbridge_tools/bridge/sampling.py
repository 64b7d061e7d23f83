"""Which spectra and decoys stand in which batch: a pure function of seed, epoch and step."""

import dataclasses

import numpy as np
import torch

from specbridge_tools.bridge.augmentation import Augmentation

_BATCHES_SORTED = 16


@dataclasses.dataclass(frozen=True)
class Batch:
    """What the losses see; b spectra, n decoys, dimension d.

    spectra, molecules  (b, d) unit norm; molecule_index (b,) int64
    decoys              (b, n, d) unit norm or None; decoy_mask (b, n) bool, False where there is no decoy
    scale               () factor on the cosine
    """

    spectra: torch.Tensor
    molecules: torch.Tensor
    molecule_index: torch.Tensor
    decoys: torch.Tensor | None
    decoy_mask: torch.Tensor | None
    scale: torch.Tensor


def epoch_batches(pairs, *, batch_size, spectra_per_molecule, seed, epoch):
    """Rows of each batch of an epoch: every molecule up to `spectra_per_molecule` times, no spectrum twice.

    Within stretches of 16 batches spectra of like length share a batch, which saves padding.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(pairs))
    order = order[np.argsort(pairs.molecule[order], kind="stable")]
    molecule = pairs.molecule[order]
    starts = np.flatnonzero(np.r_[True, molecule[1:] != molecule[:-1]])
    position = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    rows = rng.permutation(order[position < spectra_per_molecule])
    lengths = (pairs.features.peaks.mz > 0).sum(axis=1)
    batches = []
    for start in range(0, len(rows), batch_size * _BATCHES_SORTED):
        stretch = rows[start : start + batch_size * _BATCHES_SORTED]
        stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
        batches.extend(np.split(stretch, range(batch_size, len(stretch), batch_size)))
    return [batches[i] for i in rng.permutation(len(batches))]


def make_batch(model, pairs, rows, *, n_decoys, augmentation: Augmentation, bfloat16, seed, frozen=None):
    """Encode the spectra `rows` (augmented) and place their molecules and `n_decoys` drawn decoys each -> `Batch`.

    `frozen` (`FrozenFeatures`) takes the place of the spectra, which then are not augmented. `bfloat16` lowers the
    precision of the spectral encoder alone; losses stay in float32.
    """
    rng = np.random.default_rng(seed)
    features = pairs.features.take(rows, width=model.encoder.n_peaks if model.encoder.fixed_width else None)
    device = model.log_scale.device
    truths = pairs.molecule[rows]
    decoys = decoy_mask = None
    if n_decoys:
        chosen, mask = _draw_decoys(pairs, truths, n_decoys, rng)
        decoys = model.place_molecules(_vectors(pairs, chosen, device))
        decoy_mask = torch.from_numpy(mask).to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
        # (b, d)
        spectra = model.project(frozen.encode(rows)) if frozen else model(augmentation.apply(features, rng))
    return Batch(
        spectra=spectra.float(),
        molecules=model.place_molecules(_vectors(pairs, truths, device)),
        molecule_index=torch.from_numpy(truths).to(device),
        decoys=decoys,
        decoy_mask=decoy_mask,
        scale=model.log_scale.exp().clamp(max=100),
    )


def _draw_decoys(pairs, truths, n_decoys, rng):
    chosen = np.zeros((len(truths), n_decoys), np.int64)
    mask = np.zeros((len(truths), n_decoys), bool)
    for i, truth in enumerate(truths):
        others = pairs.decoys[int(truth)]
        drawn = others if len(others) <= n_decoys else rng.choice(others, n_decoys, replace=False)
        chosen[i, : len(drawn)] = drawn
        mask[i, : len(drawn)] = True
    return chosen, mask


def _vectors(pairs, rows, device):
    return torch.from_numpy(pairs.library.vectors[rows].astype(np.float32)).to(device)
