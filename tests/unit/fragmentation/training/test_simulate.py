"""Simulated spectra: masses of real fragments, reproducible, as noisy as asked."""

import dataclasses

import numpy as np
import pytest

from specbridge_tools.constants import PROTON_MASS
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.fragmentation.training.simulate import Noise, Template, expected_peaks, simulate
from specbridge_tools.spectra.spectrum import Spectrum

PARACETAMOL, MASS = "CC(=O)Nc1ccc(O)cc1", 151.06333
NO_NOISE = Noise(intensity=0, missing=0, foreign=0, mz_ppm=0)
FOREIGN = np.array([77.7777])


@pytest.fixture(scope="module")
def ranker():
    return load_ranker()


@pytest.fixture
def template():
    mz = np.linspace(50, 150, 12)
    measured = Spectrum("t", 160.0, mz, np.ones(12, np.float32), charge=1, polarity=1, adduct="[M+H]+")
    return Template(prepare_peaks(measured), {"collision_energy": "20 eV"})


def test_the_strongest_expected_peaks_of_paracetamol_are_known_ones(ranker, template):
    """Protonated paracetamol loses ketene: m/z 110.0600, the base peak at usual energies."""
    mz, root = expected_peaks(ranker, PARACETAMOL, template.peaks, MASS + PROTON_MASS)
    strongest = mz[np.argsort(-root)[:5]]
    assert np.abs(strongest - 110.0600).min() < 0.001
    assert (np.diff(mz) > 0).all()


@pytest.mark.filterwarnings("error")
def test_ions_that_are_next_to_impossible_are_no_peaks(ranker, template):
    sure = {**ranker.networks[0], "out.weight": ranker.networks[0]["out.weight"] * 50}
    sure = dataclasses.replace(ranker, networks=[sure])
    mz, root = expected_peaks(sure, PARACETAMOL, template.peaks, MASS + PROTON_MASS)
    assert 0 < len(mz) < len(expected_peaks(ranker, PARACETAMOL, template.peaks, MASS + PROTON_MASS)[0])
    assert (root > 0).all()


def test_it_is_made_as_the_template_was(ranker, template):
    made = simulate(ranker, PARACETAMOL, MASS, template, FOREIGN, np.random.default_rng(0), noise=NO_NOISE, name="x")
    assert made.id == "x"
    assert made.adduct == "[M+H]+"
    assert made.precursor_mz == pytest.approx(152.07061, abs=1e-4)
    assert made.metadata == {"collision_energy": "20 eV", "smiles": PARACETAMOL}
    assert made.n_peaks == 12
    assert (np.diff(made.mz) > 0).all()
    assert made.intensity.max() == 1
    expected, _ = expected_peaks(ranker, PARACETAMOL, template.peaks, made.precursor_mz)
    assert np.abs(made.mz[:, None] - expected).min(axis=1).max() < 1e-5


def test_noise_brings_foreign_peaks_and_is_drawn_from_the_seed(ranker, template):
    def made(seed):
        return simulate(ranker, PARACETAMOL, MASS, template, FOREIGN, np.random.default_rng(seed))

    first = made(1)
    assert np.array_equal(first.mz, made(1).mz)
    assert not np.array_equal(first.mz, made(2).mz)
    assert any(np.abs(made(seed).mz - 77.7777).min() < 0.005 for seed in range(8))


def test_a_molecule_all_of_whose_peaks_are_missing_gives_none(ranker, template):
    noise = Noise(missing=1.0)
    assert simulate(ranker, PARACETAMOL, MASS, template, FOREIGN, np.random.default_rng(0), noise=noise) is None


def test_noise_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="shares are in"):
        Noise(missing=1.5)
