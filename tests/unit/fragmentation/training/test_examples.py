import dataclasses

import numpy as np
import pytest

from specbridge_tools.fragmentation.training.examples import (
    ExampleCounts,
    MeasuredMolecule,
    make_examples,
    measured_molecules,
)
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.spectra.spectrum import Spectrum

MASS = 151.06333
ISOMERS = [
    ("PARACETAMOL", "CC(=O)Nc1ccc(O)cc1"),
    ("ANTHRANILATE", "COC(=O)c1ccccc1N"),
    ("GLYCINAMIDE", "NCC(=O)c1ccc(O)cc1"),
    ("NITROXYLENE", "Cc1ccc([N+](=O)[O-])cc1C"),
    ("SEVERAL", "CO.O=C(N)c1ccccc1"),
    ("NITROSO", "CCOc1ccc(N=O)cc1"),
]
PEAKS = np.array([65.0386, 93.0335, 110.0600, 152.0706])


def spectrum(number, mz=PEAKS, smiles="CC(=O)Nc1ccc(O)cc1"):
    intensity = np.ones(len(mz), np.float32)
    return Spectrum(f"s{number}", 152.0706, mz, intensity, adduct="[M+H]+", metadata={"smiles": smiles})


def molecule(smiles=ISOMERS[0][1], *, n_spectra=2, mz=PEAKS):
    return MeasuredMolecule(smiles, MASS, [spectrum(number, mz) for number in range(n_spectra)])


def isomers(mass):
    return ISOMERS if abs(mass - MASS) < 0.001 else []


def test_what_is_drawn_goes_by_the_seed_alone():
    molecules = {f"{number}": molecule(n_spectra=9) for number in range(8)}
    drawn = [make_examples(molecules, isomers, spectra_each=9, most_decoys=3, seed=seed) for seed in (0, 0, 3)]
    shown = [[(one.decoys, [each.spectrum_id for each in one.peaks]) for one in examples] for examples, _ in drawn]
    assert shown[0] == shown[1]
    assert drawn[0][1] == drawn[1][1]
    assert shown[0][0] != shown[0][1]
    assert sorted(shown[0][0][1]) == sorted(shown[2][0][1])
    assert shown[0][0][1] != shown[2][0][1]


def test_the_truth_comes_first_and_is_no_decoy():
    """Of the others each is there once, and those that cannot be cut are passed over."""
    both = {"PARACETAMOL": molecule(), "NITROSO": molecule(ISOMERS[5][1])}
    examples, counts = make_examples(both, isomers)
    assert [example.inchikey14 for example in examples] == ["NITROSO", "PARACETAMOL"]
    for example in examples:
        others = [smiles for key, smiles in ISOMERS if key != example.inchikey14]
        assert sorted(example.decoys) == sorted(others)
        candidates = example.candidates()
        assert candidates[0] is example.truth
        found = [candidate.atoms.tobytes() + candidate.bonds.tobytes() for candidate in candidates]
        assert len(set(found)) == len(found) == 5  # all but the one of several parts
        rng = np.random.default_rng(0)
        some = [[each.atoms.tobytes() for each in example.candidates(2, rng)] for _ in range(9)]
        assert {len(each) for each in some} == {3}
        assert {each[0] for each in some} == {example.truth.atoms.tobytes()}
        assert len({tuple(each) for each in some}) > 1
    assert counts == ExampleCounts(molecules=2, examples=2, candidates=12)


def test_every_molecule_that_is_left_out_is_counted():
    nothing_below = molecule(mz=np.array([152.0706]))
    molecules = {
        "A": molecule(),
        "B": nothing_below,
        "C": molecule(ISOMERS[4][1]),
        "D": dataclasses.replace(molecule(), exact_mass=99.0),
    }
    steps = []

    class Display(SilentProgress):
        def advance(self, amount=1):
            steps.append(amount)

    examples, counts = make_examples(molecules, isomers, most_decoys=2, display=Display())
    assert [example.inchikey14 for example in examples] == ["A"]
    assert (counts.molecules, counts.without_fragments, counts.not_cut, counts.too_few_candidates) == (4, 1, 1, 1)
    assert counts.summary().startswith("1 of 4 molecules with 3 candidates; left out: 1 without fragment peaks, 1 with")
    assert steps == [1, 1, 1, 1]


def test_spectra_without_fragments_are_passed_over_among_three_times_as_many():
    rng = np.random.default_rng((0, 0))
    rng.permutation(len(ISOMERS))  # for the decoys
    order = rng.permutation(40)
    for place, expected in ((5, ["full"]), (6, None)):
        spectra = [spectrum(number, np.array([152.0706])) for number in range(40)]
        spectra[order[place]] = dataclasses.replace(spectrum(0), id="full")
        molecules = {"PARACETAMOL": dataclasses.replace(molecule(), spectra=spectra)}
        examples, counts = make_examples(molecules, isomers, spectra_each=2)
        if expected is None:
            assert (examples, counts.without_fragments) == ([], 1)
        else:
            assert [each.spectrum_id for each in examples[0].peaks] == expected


def test_spectra_are_collected_by_molecule_and_the_others_counted():
    tally = Tally(noun="spectra")
    records = [
        spectrum(1),
        spectrum(2, smiles="Oc1ccc(NC(C)=O)cc1"),
        spectrum(3, smiles="CCO"),
        spectrum(4, smiles=""),
        Rejection("no peaks", "s5"),
    ]
    molecules = measured_molecules(iter(records), tally)
    assert {key: [each.id for each in one.spectra] for key, one in molecules.items()} == {
        "RZVAJINKPMORJF": ["s1", "s2"],
        "LFQSCWFLJHTTHZ": ["s3"],
    }
    assert molecules["RZVAJINKPMORJF"].smiles == ISOMERS[0][1]
    assert molecules["RZVAJINKPMORJF"].exact_mass == pytest.approx(MASS, abs=1e-4)
    assert tally.reasons == {"no structure": 1, "no peaks": 1}
    assert tally.n_read == 5
