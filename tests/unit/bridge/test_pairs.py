"""Spectra find their molecules and decoys in an embeddings file, or are counted with the reason why not."""

import numpy as np
import pytest

from specbridge_tools.bridge.finetune import PairOptions
from specbridge_tools.bridge.pairs import read_pairs
from specbridge_tools.embeddings.molecules import create_molecule_embeddings
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.chemistry import standardise
from specbridge_tools.records import Tally

# three isomers of C4H10O, two of C3H8O, and one alone; benzene is in the library and in no spectrum
SMILES = ("CCCCO", "CC(C)CO", "CCC(C)O", "CCCO", "CC(C)O", "NCC(=O)O", "c1ccccc1")


@pytest.fixture
def library(tmp_path):
    encoder = ToyMoleculeEncoder(dimension=16)
    forms = [standardise(smiles) for smiles in SMILES]
    path = tmp_path / "molecules.h5"
    with create_molecule_embeddings(path, encoder=encoder, dtype="float32") as writer:
        writer.append(
            {
                "embedding": encoder.encode([form.smiles for form in forms]),
                "id": [f"m{i}" for i in range(len(forms))],
                "all_ids": [f"m{i}" for i in range(len(forms))],
                "smiles": [form.smiles for form in forms],
                "isomeric_smiles": [form.smiles for form in forms],
                "inchikey14": [form.inchikey14 for form in forms],
                "formula": [form.formula for form in forms],
                "exact_mass": [form.exact_mass for form in forms],
                "name": [""] * len(forms),
                "truncated": [0] * len(forms),
            }
        )
    return path


def write_spectra(path, entries):
    """`entries`: (title, field line or '')."""
    text = "".join(
        f"BEGIN IONS\nTITLE={t}\nPEPMASS=75.1\n{field}\n40.1 9\n51.2 3\nEND IONS\n\n" for t, field in entries
    )
    path.write_text(text)
    return path


def pairs_of(spectra, library, **changes):
    tally = Tally(noun="spectra")
    settings = {
        "half_width": PairOptions().half_width,
        "max_decoys": None,
        "features_of": list,
        "tally": tally,
        **changes,
    }
    return read_pairs([spectra], library, **settings), tally


def test_truths_and_decoys(library, tmp_path):
    spectra = write_spectra(
        tmp_path / "s.mgf",
        [("a", "SMILES=OCCCC"), ("b", "SMILES=CC(O)C"), ("c", "SMILES=OCCCC"), ("d", "SMILES=[NH3+]CC(=O)[O-]")],
    )
    pairs, tally = pairs_of(spectra, library)
    keys = pairs.library.inchikey14
    butanol, propanol, glycine = (standardise(SMILES[i]).inchikey14 for i in (0, 4, 5))
    assert keys[pairs.molecule].tolist() == [butanol, propanol, butanol, glycine]
    assert pairs.keys == {butanol, propanol, glycine}
    decoys = {keys[row]: sorted(keys[others]) for row, others in pairs.decoys.items()}
    assert decoys == {
        butanol: sorted(standardise(SMILES[i]).inchikey14 for i in (1, 2)),
        propanol: [standardise(SMILES[3]).inchikey14],
        glycine: [],
    }
    assert (np.diff(pairs.library.exact_mass) >= 0).all()
    expected = ToyMoleculeEncoder(dimension=16).encode([standardise(SMILES[5]).smiles])[0]
    np.testing.assert_array_equal(pairs.library.vectors[pairs.molecule[3]], expected)
    # benzene is no truth and has the mass of none
    assert len(keys) == 6
    assert (tally.n_read, tally.n_rejected) == (4, 0)


def test_decoys_are_capped_by_the_seed(library, tmp_path):
    spectra = write_spectra(tmp_path / "s.mgf", [("a", "SMILES=OCCCC")])
    few = [pairs_of(spectra, library, max_decoys=1, seed=seed)[0] for seed in (1, 1, 2, 3, 4, 5)]
    drawn = [pairs.library.inchikey14[pairs.decoys[int(pairs.molecule[0])]].tolist() for pairs in few]
    assert all(len(keys) == 1 for keys in drawn)
    assert drawn[0] == drawn[1]
    assert len({keys[0] for keys in drawn}) == 2


def test_what_has_no_molecule_is_counted(library, tmp_path):
    entries = [("a", "SMILES=OCCCC"), ("b", ""), ("c", "SMILES=CCCCCCC"), ("d", "INCHIKEY=UHOVQNZJYSORNB-UHFFFAOYSA-N")]
    pairs, tally = pairs_of(write_spectra(tmp_path / "s.mgf", entries), library)
    assert len(pairs) == 2
    assert tally.reasons == {"no structure": 1, "molecule not among the embeddings": 1}
    strangers = write_spectra(tmp_path / "t.mgf", [("c", "SMILES=CCCCCCC")])
    with pytest.raises(DataError, match="no spectrum has its molecule among the embeddings; embed the molecules"):
        pairs_of(strangers, library)


@pytest.mark.parametrize(("tolerance", "unit", "width"), [(10.0, "ppm", 0.002), (0.005, "Da", 0.005)])
def test_the_tolerance_in_ppm_and_in_da(tolerance, unit, width):
    assert PairOptions(tolerance, unit).half_width(200.0) == pytest.approx(width, abs=1e-15)


def test_a_precursor_that_is_missing_follows_from_adduct_and_structure(library, tmp_path):
    path = tmp_path / "s.mgf"
    path.write_text(
        "BEGIN IONS\nTITLE=a\nADDUCT=[M+H]+\nSMILES=OCCCC\n40.1 9\nEND IONS\n"
        "BEGIN IONS\nTITLE=b\nSMILES=OCCCC\n40.1 9\nEND IONS\n"
    )
    pairs, tally = pairs_of(path, library)
    (spectrum,) = pairs.features
    assert spectrum.precursor_mz == pytest.approx(75.0804, abs=1e-4)
    assert tally.reasons == {"no precursor": 1}
    assert "1 given a precursor by adduct and structure (a)" in tally.summary()
