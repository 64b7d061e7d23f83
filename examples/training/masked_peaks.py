"""Self-supervision before any structure is seen: the encoder of mass bins learns to guess peaks that are hidden.

masked_peaks.py SPECTRA MOLECULES.h5 -o MODEL [--epochs 3]

A share of the peaks of each spectrum is hidden; from the projection of the rest a linear map guesses the bins of m/z
that they lie in, by cross entropy over all bins that have a vector. The map is dropped, and the projector starts
afresh. MODEL is for sb-finetune --start-from.
"""

import argparse
import dataclasses
import logging

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.checkpoint import save_model
from specbridge_tools.bridge.new_model import ModelOptions, build_model
from specbridge_tools.bridge.projector import PROJECTORS
from specbridge_tools.records import Tally
from specbridge_tools.spectra.batch import PeakBatch
from specbridge_tools.spectra.reader import read_spectra

HIDDEN_SHARE = 0.3
logger = logging.getLogger("masked_peaks")


def hide(features, rng):
    """(`SpectrumFeatures` without the hidden peaks, (b, p) m/z of those, 0 elsewhere); one peak at least stays."""
    peaks = features.peaks
    real = peaks.mz > 0
    hidden = real & (rng.random(real.shape) < HIDDEN_SHARE) & (peaks.intensity < 1)
    mz, intensity = np.where(hidden, 0, peaks.mz), np.where(hidden, 0, peaks.intensity).astype(np.float32)
    seen = dataclasses.replace(features, peaks=PeakBatch(peaks.precursor_mz, mz, intensity))
    return seen, np.where(hidden, peaks.mz, 0)


def loss_of(model, guess, features, rng):
    """Mean cross entropy over the hidden peaks whose bin has a vector; None where there is none."""
    seen, hidden = hide(features, rng)
    table = model.encoder.fragments
    bins = torch.from_numpy(np.rint(hidden / table.bin_width).astype(np.int64)).clamp(0, table.last)
    rows = table.row[bins].long() * torch.from_numpy(hidden > 0)  # (b, p), 0: nothing to guess
    spectrum, place = rows.nonzero(as_tuple=True)
    if not len(spectrum):
        return None
    likely = functional.log_softmax(guess(model.projector(model.encoder(seen))), dim=-1)  # (b, bins)
    return -likely[spectrum, rows[spectrum, place]].mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra")
    parser.add_argument("molecules")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = build_model(
        options.molecules, ModelOptions(spectral_encoder="massbins", dropout=options.dropout), seed=options.seed
    )
    features = model.features(list(Tally().usable(read_spectra(options.spectra))))
    model.learn_vocabulary(features)
    guess = nn.Linear(model.dimension, len(model.encoder.fragments.vectors.weight))
    learned = [*model.encoder.parameters(), *model.projector.parameters(), *guess.parameters()]
    optimiser = torch.optim.AdamW(learned, options.learning_rate, fused=True)
    augmentation = Augmentation(peak_dropout=0.0)
    for epoch in range(options.epochs):
        rng = np.random.default_rng((options.seed, epoch))
        torch.manual_seed(options.seed + epoch)
        order, losses = rng.permutation(len(features)), []
        for start in range(0, len(order), options.batch_size):
            rows = order[start : start + options.batch_size]
            loss = loss_of(model, guess, augmentation.apply(features.take(rows), rng), rng)
            if loss is not None:
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
        logger.info("epoch %d loss %.4f", epoch + 1, np.mean(losses))
    config = model.config
    model.projector = PROJECTORS[config.projector](
        model.encoder.dimension,
        config.dimension,
        hidden=config.projector_hidden,
        depth=config.projector_depth,
        dropout=config.dropout,
    )
    model.training_summary = {"masked_peaks": vars(options) | {"loss": float(np.mean(losses))}}
    save_model(model.eval(), options.output, force=True)


if __name__ == "__main__":
    main()
