import dataclasses

import numpy as np
import pytest
from builders import spectrum

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.fragments.batch import CandidateBatch
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS, SHIFTS, ion_kind
from specbridge_tools.fragmentation.peaks.match import match_ions, tolerances
from specbridge_tools.fragmentation.peaks.prepare import MOST_PEAKS, prepare_peaks
from specbridge_tools.fragmentation.peaks.subformula import explained_peaks

PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"


def test_ions_of_each_adduct():
    kind = ion_kind(spectrum([(50, 1)], adduct="[M+Na]+"))
    assert kind.polarity == 1
    assert kind.mz(151.063329, 1, charge_carrier=1) == pytest.approx(174.0525, abs=1e-4)  # paracetamol + Na
    assert kind.mz(151.063329, 1) == pytest.approx(152.0706, abs=1e-4)
    assert ion_kind(spectrum([(50, 1)], adduct="[M-H]-")).mz(151.063329, -1) == pytest.approx(150.0561, abs=1e-4)
    assert ion_kind(spectrum([(50, 1)], adduct="[M+2H]2+")).precursor_shift is None
    with pytest.raises(DataError, match="unknown adduct"):
        ion_kind(spectrum([(50, 1)], adduct="[M+Xx]+"))


def test_peaks_are_cut_to_the_most_intense_below_the_precursor():
    peaks = [(50 + i, 1 + i) for i in range(90)] + [(152.0706, 500.0), (400.0, 900.0)]
    prepared = prepare_peaks(spectrum(peaks, collision_energy="20 eV"))
    assert len(prepared.mz) == MOST_PEAKS
    assert prepared.mz.max() == pytest.approx(152.0706)
    assert prepared.intensity[prepared.at_precursor].tolist() == [500.0]
    assert prepared.mz.min() == 81
    assert prepared.context[5] == pytest.approx(0.4)
    assert prepared.context[6] == 0
    assert prepare_peaks(spectrum([(60, 1)])).context[6] == 1


def test_a_spectrum_with_peaks_only_above_the_precursor_is_empty():
    prepared = prepare_peaks(spectrum([(300, 1), (301, 2)]))
    assert len(prepared.mz) == 0
    assert np.isfinite(prepared.context).all()


@pytest.mark.parametrize("adduct", ["[M+H]+", "[M-H]-", "[M+Na]+", "[M]+"])
def test_matches_are_those_of_a_comparison_of_all_with_all(ranker, adduct):
    batch = CandidateBatch([ranker.candidate(text) for text in (PARACETAMOL, "COC(=O)c1ccccc1N", "NCC(=O)c1ccc(O)cc1")])
    rng = np.random.default_rng(3)
    ions = np.abs(rng.choice(batch.masses, 60) + rng.integers(-3, 4, 60) * 1.007825) + 20
    ions = np.where(np.arange(60) % 2, ions - 20, ions + 1.98977) + rng.uniform(-2e-3, 2e-3, 60)
    prepared = prepare_peaks(spectrum([(mz, 1) for mz in ions], 500.0, adduct))
    prepared = dataclasses.replace(prepared, at_precursor=np.zeros(len(prepared.mz), bool))
    found = {tuple(row) for row in match_ions(batch, prepared).tolist()}
    expected = set()
    for charge_carrier in range(len(prepared.kind.charge_carrier_masses())):
        for position, shift in enumerate(SHIFTS):
            mz = prepared.kind.mz(batch.masses, shift, charge_carrier)
            near = np.abs(mz[:, None] - prepared.mz) <= tolerances(prepared.mz)
            near &= (batch.hydrogens + shift >= 0)[:, None]
            expected |= {
                (f, position + N_SHIFTS * charge_carrier, p) for f, p in zip(*map(list, np.nonzero(near)), strict=True)
            }
    assert found == expected
    assert len(found) > 20


def test_the_precursor_peak_belongs_to_every_candidate_whatever_its_mass(ranker):
    batch = CandidateBatch([ranker.candidate(text) for text in (PARACETAMOL, "COC(=O)c1ccccc1N")])
    heavier = CandidateBatch(
        [dataclasses.replace(candidate, masses=candidate.masses * (1 + 9e-6)) for candidate in batch.candidates]
    )
    prepared = prepare_peaks(spectrum([(152.0706, 10), (110.06, 5)]))
    for candidates in (batch, heavier):
        rows = match_ions(candidates, prepared)
        rows = rows[rows[:, 2] == 1]
        assert rows.tolist() == [[intact, 1 - SHIFTS[0], 1] for intact in candidates.intact.tolist()]


def test_subformulas():
    # counts of C N O S P F Cl Br I, other, H
    paracetamol = [8, 1, 2, 0, 0, 0, 0, 0, 0, 0, 9]
    chlorobenzene = [6, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5]
    mz = [43.0178, 65.0386, 93.0335, 110.0600, 111.02, 113.0153, 134.0600]
    prepared = prepare_peaks(spectrum([(value, 1) for value in mz]))
    explained = explained_peaks([paracetamol, chlorobenzene, paracetamol], prepared)
    assert explained.tolist()[0] == [True, True, True, True, False, False, True]
    assert explained.tolist()[1] == [False, True, False, False, False, True, False]
    assert (explained[0] == explained[2]).all()


def test_subformulas_are_those_of_an_enumeration():
    carbons, nitrogens, oxygens, hydrogens = np.meshgrid(*map(np.arange, (9, 2, 3, 11)), indexing="ij")
    mass = (
        12 * carbons + 14.0030740043 * nitrogens + 15.9949146193 * oxygens + 1.0078250319 * hydrogens - 0.000548579909
    )
    rng = np.random.default_rng(0)
    peaks = rng.choice(mass.ravel(), 60) + rng.uniform(-3e-3, 3e-3, 60)
    prepared = prepare_peaks(spectrum([(mz, 1) for mz in peaks if mz > 1], 500.0))
    mass = mass[hydrogens <= 2 * carbons + nitrogens + 3]
    near = np.abs(mass.ravel()[:, None] - prepared.mz) <= tolerances(prepared.mz)
    assert explained_peaks([[8, 1, 2, 0, 0, 0, 0, 0, 0, 0, 9]], prepared)[0].tolist() == near.any(axis=0).tolist()
    assert 5 < near.any(axis=0).sum() < len(prepared.mz)
