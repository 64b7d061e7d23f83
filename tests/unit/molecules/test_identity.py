import numpy as np
import pytest

from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.spectra.spectrum import Spectrum

GLYCINE = "DHMQDGOQFOQNFH"


def key(**metadata):
    return structure_key(Spectrum("x", 76.0, np.array([50.0]), np.array([1.0], np.float32), metadata=metadata))


@pytest.mark.parametrize("smiles", ["NCC(=O)O", "OC(=O)CN", "[NH3+]CC([O-])=O", "[Na+].NCC(=O)[O-]", "Cl.NCC(=O)O"])
def test_spellings_salts_and_charges_of_one_molecule_share_a_key(smiles):
    assert key(smiles=smiles) == GLYCINE


def test_stereo_forms_share_a_key():
    assert key(smiles="C[C@H](N)C(=O)O") == key(smiles="C[C@@H](N)C(=O)O") == key(smiles="CC(N)C(=O)O")


def test_the_structure_counts_before_the_inchikey():
    assert key(smiles="NCC(=O)O", inchikey="QNAYBMKLOCPYGJ-UHFFFAOYSA-N") == GLYCINE
    assert key(inchi="InChI=1S/C2H5NO2/c3-1-2(4)5/h1,3H2,(H,4,5)") == GLYCINE


def test_the_inchikey_serves_where_no_structure_can_be_read():
    assert key(inchikey=f"{GLYCINE}-UHFFFAOYSA-N") == GLYCINE
    assert key(smiles="not a structure", inchikey=GLYCINE) == GLYCINE
    assert key(smiles="N/A") is None
    assert key(inchikey="unknown") is None
    assert key(inchikey="dhmqdgoqfoqnfh-uhfffaoysa-n") is None
    assert key() is None
