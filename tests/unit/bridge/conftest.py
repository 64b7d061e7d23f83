"""A task small enough to learn in seconds: the peaks of a spectrum name its molecule."""

import numpy as np
import pytest
import torch

from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.bridge.pairs import Library, Pairs
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.spectra.batch import PeakBatch

TINY_DREAMS = "dreams:d_peak=8,d_fourier=24,n_heads=2,fourier_hidden=16,n_layers=2,n_peaks=8,mass_tokens=50"
DIMENSION = 8


def synthetic_pairs(n_molecules, *, spectra_each=3, seed=0, first_key=0):
    """Molecules are random unit vectors; each has its own four peaks, seen with noise. Ten share each mass."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n_molecules, DIMENSION)).astype(np.float16)
    lines = np.sort(rng.uniform(50, 250, (n_molecules, 4)), axis=1)
    molecule = np.repeat(np.arange(n_molecules), spectra_each)
    intensity = rng.uniform(0.2, 1, (len(molecule), 4)).astype(np.float32)
    intensity /= intensity.max(1, keepdims=True)
    peaks = PeakBatch(np.full(len(molecule), 300.0), lines[molecule], intensity)
    features = SpectrumFeatures(peaks, np.full(len(molecule), 3), np.full(len(molecule), 20, np.float32))
    keys = np.array([f"KEY{first_key + i:011d}" for i in range(n_molecules)])
    groups = np.arange(n_molecules) // 10
    decoys = {i: np.flatnonzero((groups == groups[i]) & (np.arange(n_molecules) != i)) for i in range(n_molecules)}
    return Pairs(features, molecule, Library(keys, 299.0 + groups, vectors), decoys)


@pytest.fixture
def pairs():
    return synthetic_pairs(20)


@pytest.fixture
def make_model():
    def make(spec=TINY_DREAMS, *, seed=0, **changes):
        torch.manual_seed(seed)
        encoder = SPECTRUM_ENCODERS.create(spec)
        settings = {"projector_hidden": 16, "projector_depth": 1, "dropout": 0.1, **changes}
        config = ModelConfig(encoder.describe(), "toy:dimension=8", "abc", DIMENSION, **settings)
        return AlignedModel(config, encoder)

    return make
