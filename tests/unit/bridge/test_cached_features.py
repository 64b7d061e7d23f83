import dataclasses
import os

import numpy as np
import pytest
import torch

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.cached_features import open_cached_features
from specbridge_tools.bridge.training import TrainingOptions, train
from specbridge_tools.errors import UsageError

TINY = "d_peak=8,d_fourier=24,n_heads=2,fourier_hidden=16,n_layers=3,n_peaks=8"
SPECS = (
    f"dreams:preset=official,{TINY},pooling=mean",
    f"dreams:preset=official,{TINY}",
    f"dreams:{TINY},mass_tokens=50,dropout=0.0",
)
NONE = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0)
OPTIONS = TrainingOptions(losses={"mse": 1.0}, epochs=3, batch_size=16, unfrozen_blocks=2, augmentation=NONE)


def uneven(pairs):
    """The pairs with fewer peaks in some spectra."""
    mz = pairs.features.peaks.mz.copy()
    mz[::3, 2:] = 0
    mz[::5, 1:] = 0
    intensity = np.where(mz > 0, pairs.features.peaks.intensity, 0).astype(np.float32)
    intensity /= intensity.max(axis=1, keepdims=True)
    peaks = dataclasses.replace(pairs.features.peaks, mz=mz, intensity=intensity)
    return dataclasses.replace(pairs, features=dataclasses.replace(pairs.features, peaks=peaks))


@pytest.mark.slow
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("unfrozen", [0, 1, 3])
def test_cached_features_lead_to_the_same_vectors(make_model, pairs, tmp_path, spec, unfrozen):
    pairs = uneven(pairs)
    model = make_model(spec).eval()
    cached = open_cached_features(tmp_path / "cache", model.encoder, pairs.features, unfrozen)
    rows = np.array([0, 7, 31, 3, 55])
    with torch.no_grad():
        expected = model.encoder(pairs.features.take(rows))
        torch.testing.assert_close(cached.encode(rows), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_training_is_the_same_and_the_file_is_used_again(make_model, pairs, tmp_path):
    pairs = uneven(pairs)
    plain, caching = (make_model(SPECS[0], dropout=0.0) for _ in range(2))
    expected = train(plain, pairs, pairs, OPTIONS, checkpoint=tmp_path / "a", fingerprint={})
    cached = open_cached_features(tmp_path / "cache", caching.encoder, pairs.features, 2)
    (name,) = os.listdir(tmp_path / "cache")
    when = os.stat(tmp_path / "cache" / name).st_mtime_ns
    found = train(caching, pairs, pairs, OPTIONS, checkpoint=tmp_path / "b", fingerprint={}, cached=cached)
    assert [row["train_loss"] for row in found] == pytest.approx([row["train_loss"] for row in expected], rel=1e-4)
    open_cached_features(tmp_path / "cache", make_model(SPECS[0], dropout=0.0).encoder, pairs.features, 2)
    assert os.stat(tmp_path / "cache" / name).st_mtime_ns == when
    open_cached_features(tmp_path / "cache", make_model(SPECS[0], seed=1).encoder, pairs.features, 2)
    assert len(os.listdir(tmp_path / "cache")) == 2


@pytest.mark.parametrize(("spec", "unfrozen"), [("toy", 0), (SPECS[0], -1)])
def test_where_nothing_is_frozen_nothing_is_cached(make_model, pairs, tmp_path, spec, unfrozen):
    with pytest.raises(UsageError, match="no block of this encoder is frozen"):
        open_cached_features(tmp_path, make_model(spec).encoder, pairs.features, unfrozen)
