import numpy as np
import pytest

from specbridge_tools.evaluation import bootstrap as module
from specbridge_tools.evaluation.bootstrap import bootstrapped_means


def test_means_over_spectra_and_over_molecules_by_hand():
    values = np.array([[1.0], [1.0], [1.0], [0.0]])
    over_spectra, over_molecules = bootstrapped_means(values, ["A", "A", "A", "B"], resamples=50)
    assert over_spectra[0].value == 0.75
    assert over_molecules[0].value == 0.5


def test_interval_covers_what_whole_molecules_can_give():
    # 2 molecules: resamples are AA, AB, BA, BB, hence 1, 0.75, 0.75, 0
    values = np.array([[1.0], [1.0], [1.0], [0.0]])
    over_spectra, over_molecules = bootstrapped_means(values, ["A", "A", "A", "B"])
    assert (over_spectra[0].low, over_spectra[0].high) == (0.0, 1.0)
    assert (over_molecules[0].low, over_molecules[0].high) == (0.0, 1.0)


def test_interval_is_wider_over_molecules_than_the_spectra_suggest():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.integers(0, 2, 100), 20).astype(float)[:, None]
    whole = bootstrapped_means(right, np.repeat(np.arange(100), 20), resamples=500)[0][0]
    parted = bootstrapped_means(right, np.arange(2000), resamples=500)[0][0]
    assert whole.high - whole.low > 3 * (parted.high - parted.low)
    assert whole.value == parted.value


def test_same_seed_same_interval():
    values = np.random.default_rng(0).random((30, 2))
    molecules = np.arange(30) % 7
    first, second, other = (bootstrapped_means(values, molecules, seed=s, resamples=100) for s in (0, 0, 1))
    assert first == second
    assert first != other


def test_many_resamples_at_once_are_those_drawn_one_after_the_other(monkeypatch):
    monkeypatch.setattr(module, "_DRAWN_AT_ONCE", 50)
    values, molecules = np.random.default_rng(0).random((30, 2)), np.arange(30) % 7
    found = bootstrapped_means(values, molecules, seed=3, resamples=100)
    rng = np.random.default_rng(3)
    drawn = np.array([np.bincount(rng.integers(0, 7, 7), minlength=7) for _ in range(100)])
    count = np.bincount(molecules)
    sums = np.array([values[molecules == molecule].sum(axis=0) for molecule in range(7)])
    over_spectra = drawn @ sums / (drawn @ count)[:, None]
    over_molecules = drawn @ (sums / count[:, None]) / 7
    for estimates, resampled in zip(found, (over_spectra, over_molecules), strict=True):
        intervals = np.array([(estimate.low, estimate.high) for estimate in estimates])
        assert intervals == pytest.approx(np.percentile(resampled, [2.5, 97.5], axis=0).T, rel=1e-12)
