import numpy as np

from specbridge_tools.bridge.augmentation import Augmentation
from specbridge_tools.bridge.sampling import epoch_batches, make_batch


def test_an_epoch_is_balanced_over_molecules(pairs):
    batches = epoch_batches(pairs, batch_size=7, spectra_per_molecule=2, seed=1, epoch=3)
    rows = np.concatenate(batches)
    assert len(set(rows.tolist())) == len(rows) == 40
    assert np.bincount(pairs.molecule[rows]).tolist() == [2] * 20
    assert all(1 <= len(batch) <= 7 for batch in batches)


def test_epochs_are_a_function_of_seed_and_epoch(pairs):
    def rows(**changes):
        settings = {"batch_size": 8, "spectra_per_molecule": 2, "seed": 1, "epoch": 3, **changes}
        return [batch.tolist() for batch in epoch_batches(pairs, **settings)]

    assert rows() == rows()
    assert rows() != rows(epoch=4)
    assert rows() != rows(seed=2)


def test_a_batch_holds_truths_and_decoys_of_the_same_mass(pairs, make_model):
    model = make_model().eval()
    rows = np.array([0, 4, 31])
    batch = make_batch(model, pairs, rows, n_decoys=12, augmentation=Augmentation(), bfloat16=False, seed=(0, 1, 2))
    assert batch.molecule_index.tolist() == pairs.molecule[rows].tolist()
    assert batch.decoys.shape == (3, 12, model.dimension)
    assert batch.decoy_mask.sum(1).tolist() == [9, 9, 9]
    truth = pairs.library.vectors[pairs.molecule[4]].astype(np.float32)
    np.testing.assert_allclose(batch.molecules[1].numpy(), truth / np.linalg.norm(truth), rtol=1e-5)
    for part in (batch.spectra, batch.molecules):
        np.testing.assert_allclose(part.norm(dim=1).detach().numpy(), 1, rtol=1e-5)


def test_augmentation_keeps_the_highest_peak_and_the_scale(pairs):
    rng = np.random.default_rng(0)
    changed = Augmentation(peak_dropout=0.9, condition_dropout=1.0).apply(pairs.features, rng)
    before, after = pairs.features.peaks, changed.peaks
    highest = before.intensity.argmax(1)
    assert (after.mz[np.arange(len(highest)), highest] > 0).all()
    assert (after.intensity.max(1) == 1).all()
    assert 0.02 < (after.mz > 0).mean() < 0.5
    kept = after.mz > 0
    assert np.abs(after.mz[kept] / before.mz[kept] - 1).max() < 2e-5
    assert (changed.adduct == 0).all()
    assert np.isnan(changed.energy_ev).all()


def test_no_augmentation_changes_nothing(pairs):
    none = Augmentation(
        peak_dropout=0, intensity_jitter=0, mz_jitter_ppm=0, condition_dropout=0, precursor_jitter_ppm=0
    )
    same = none.apply(pairs.features, np.random.default_rng(0))
    np.testing.assert_array_equal(same.peaks.mz, pairs.features.peaks.mz)
    np.testing.assert_allclose(same.peaks.intensity, pairs.features.peaks.intensity)
    np.testing.assert_array_equal(same.adduct, pairs.features.adduct)
