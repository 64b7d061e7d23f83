import dataclasses

import numpy as np
import pytest

from specbridge_tools.fragmentation.training.examples import (
    ExampleCounts,
    ExampleOptions,
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


def same(one, other):
    """Whether examples hold the same arrays."""
    assert [example.inchikey14 for example in one] == [example.inchikey14 for example in other]
    for mine, theirs in zip(one, other, strict=True):
        assert [each.spectrum_id for each in mine.peaks] == [each.spectrum_id for each in theirs.peaks]
        for candidate, its in zip(mine.candidates, theirs.candidates, strict=True):
            pairs = zip(vars(candidate).values(), vars(its).values(), strict=True)
            if not all(np.array_equal(first, second) for first, second in pairs):
                return False
    return True


def test_what_is_drawn_goes_by_the_seed_alone():
    molecules = {f"{number}": molecule(n_spectra=9) for number in range(8)}  # enough for two workers
    drawn = [
        make_examples(molecules, isomers, ExampleOptions(9, 3), seed=seed, n_workers=n_workers)
        for seed, n_workers in ((0, 1), (0, 2), (3, 1))
    ]
    assert same(drawn[0][0], drawn[1][0])
    assert drawn[0][1] == drawn[1][1]
    first, third = ([each.spectrum_id for each in one[0][0].peaks] for one in (drawn[0], drawn[2]))
    assert sorted(first) == sorted(third)
    assert first != third


def test_the_truth_comes_first_and_is_no_decoy():
    """Of the others each is drawn once: all of them where as many decoys are asked for."""
    both = {"PARACETAMOL": molecule(), "NITROSO": molecule(ISOMERS[5][1])}
    examples, counts = make_examples(both, isomers, ExampleOptions(decoys_each=50))
    assert [example.inchikey14 for example in examples] == ["NITROSO", "PARACETAMOL"]
    for example in examples:
        truth = next(smiles for key, smiles in ISOMERS if key == example.inchikey14)
        (alone,), _ = make_examples({"X": molecule(truth)}, lambda _: ISOMERS, ExampleOptions(decoys_each=50))
        assert np.array_equal(example.candidates[0].atoms, alone.candidates[0].atoms)
        cut = [candidate.atoms.tobytes() + candidate.bonds.tobytes() for candidate in example.candidates]
        assert len(set(cut)) == len(cut) == 5  # all but the one of several parts
    assert counts == ExampleCounts(molecules=2, examples=2, candidates=10, decoys_not_cut=2)


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

    examples, counts = make_examples(molecules, isomers, ExampleOptions(decoys_each=2), display=Display())
    assert [example.inchikey14 for example in examples] == ["A"]
    assert (counts.molecules, counts.without_fragments, counts.not_cut, counts.too_few_candidates) == (4, 1, 1, 1)
    assert counts.summary().startswith("1 of 4 molecules with 3 candidates; left out: 1 without fragment peaks, 1 that")
    assert steps == [1, 1, 1, 1]


def test_spectra_without_fragments_are_passed_over_among_three_times_as_many():
    rng = np.random.default_rng((0, 0))
    rng.permutation(len(ISOMERS))  # the decoys are drawn first
    order = rng.permutation(40)
    for place, expected in ((5, ["full"]), (6, None)):
        spectra = [spectrum(number, np.array([152.0706])) for number in range(40)]
        spectra[order[place]] = dataclasses.replace(spectrum(0), id="full")
        molecules = {"PARACETAMOL": dataclasses.replace(molecule(), spectra=spectra)}
        examples, counts = make_examples(molecules, isomers, ExampleOptions(spectra_each=2))
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


@pytest.mark.parametrize("wrong", [{"spectra_each": 0}, {"decoys_each": 0}])
def test_numbers_below_one_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        ExampleOptions(**wrong)
