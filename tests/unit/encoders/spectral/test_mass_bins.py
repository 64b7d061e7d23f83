"""The encoder of mass bins: its vocabulary, its sums, and what it does not see."""

import dataclasses

import numpy as np
import pytest
import torch

from specbridge_tools.encoders.spectral.features import SpectrumFeatures
from specbridge_tools.encoders.spectral.mass_bins import BinTable, MassBinsConfig, MassBinsEncoder
from specbridge_tools.spectra.batch import PeakBatch

SMALL = MassBinsConfig(width=8, least_spectra=2)


def features_of(*rows, precursor_mz=300.0):
    width = max(map(len, rows))
    mz = np.array([[*row, *[0.0] * (width - len(row))] for row in rows])
    intensity = np.where(mz > 0, 1.0, 0.0).astype(np.float32)
    n = len(rows)
    energy = np.full(n, 20, np.float32)
    return SpectrumFeatures(PeakBatch(np.full(n, precursor_mz), mz, intensity), np.full(n, 3), energy)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    made = MassBinsEncoder(SMALL)
    made.learn_vocabulary(features_of([100.0, 150.0], [100.0, 150.0, 200.0], [250.0]))
    return made.eval()


def test_the_vocabulary_holds_the_bins_of_enough_spectra(encoder):
    # 100 and 150 twice; as losses of 300: 200 and 150 twice
    assert (encoder.config.n_fragments, encoder.config.n_losses) == (2, 2)
    rows = encoder.fragments.row.numpy()
    assert np.flatnonzero(rows).tolist() == [10_000, 15_000]
    assert np.flatnonzero(encoder.losses.row.numpy()).tolist() == [15_000, 20_000]


def test_a_mass_between_two_bins_is_given_a_share_of_both():
    table = BinTable(SMALL, 2)
    table.row[10_000], table.row[10_001] = 1, 2
    mz, weight = torch.tensor([[100.0025]], dtype=torch.float64), torch.ones(1, 1, 1)
    found = table(mz, weight)[0]
    expected = 0.75 * table.vectors.weight[1] + 0.25 * table.vectors.weight[2]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_masses_without_a_vector_add_nothing():
    table = BinTable(SMALL, 1)
    table.row[10_000] = 1
    far = torch.tensor([[400.0, 5000.0]], dtype=torch.float64)
    assert not table(far, torch.ones(1, 2, 2)).any()


def test_padding_and_the_order_of_peaks_change_nothing(encoder):
    plain = encoder(features_of([100.0, 150.0]))
    padded = encoder(features_of([100.0, 150.0], [100.0, 150.0, 200.0, 250.0]))[:1]
    turned = encoder(features_of([150.0, 100.0]))
    torch.testing.assert_close(plain, padded, atol=1e-5, rtol=0)
    torch.testing.assert_close(plain, turned, atol=1e-5, rtol=0)


def test_peaks_and_losses_tell_spectra_apart(encoder):
    one, other = encoder(features_of([100.0], [150.0]))
    assert (one - other).abs().max() > 0.1


def test_the_last_digits_of_the_precursor_are_hardly_seen(encoder):
    """10 ppm of 300 is 3 mDa: it moves the losses within a bin, and the waves of the precursor by a hundredth."""
    exact = encoder.precursor(*as_tensors(300.0))
    moved = encoder.precursor(*as_tensors(300.003))
    assert (exact - moved).abs().max() < 0.02 * exact.abs().max()


def as_tensors(precursor_mz):
    return torch.tensor([3]), torch.tensor([20.0]), torch.tensor([precursor_mz], dtype=torch.float64)


def test_it_is_rebuilt_from_its_description(encoder):
    rebuilt = MassBinsEncoder.from_description(encoder.describe()).eval()
    rebuilt.load_state_dict(encoder.state_dict())
    spectra = features_of([100.0, 150.0, 222.2])
    assert torch.equal(rebuilt(spectra), encoder(spectra))


def test_a_missing_energy_is_read(encoder):
    spectra = features_of([100.0])
    hidden = dataclasses.replace(spectra, energy_ev=np.array([np.nan], np.float32))
    assert torch.isfinite(encoder(hidden)).all()
    assert not torch.equal(encoder(hidden), encoder(spectra))


def test_the_bins_without_a_vector_learn_nothing(encoder):
    encoder.train()
    encoder(features_of([100.0, 123.0])).pow(2).sum().backward()
    gradient = encoder.fragments.vectors.weight.grad
    assert not gradient[0].any()
    assert gradient[1].abs().max() > 0
