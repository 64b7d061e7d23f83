"""What the compiled loop reads of a SMILES is what RDKit reads; it leaves alone what it does not know."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from specbridge_tools.molecules import smiles_graph as module
from specbridge_tools.molecules.plain_smiles import parse_plain
from specbridge_tools.molecules.smiles_graph import molecular_graph

READ = [
    "C",
    "CC(=O)Nc1ccc(O)cc1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "C[N+](C)(C)CC(=O)[O-]",
    "O=[N+]([O-])c1ccc2[nH]ccc2c1",
    "CC12CCC(=O)C=C1CCC1C2CCC2(C)C1CCC2O",
    "N#Cc1cc(Cl)c(Br)c(I)c1F",
    "CP(=O)(O)OCCS(=O)(=O)c1ccsc1",
    "C[Si](C)(C)OC[SiH2]C",
    "c1ccc2c(c1)c1ccccc1n2-c1ccccn1",
    "C[n+]1ccccc1C=C",
    "C1CC2CC%10CC1CC2%10",
    "OB(O)c1ccco1",
    "C[S+](C)CC[NH3+]",
    "CS(C)=O",
    "C1=CCC=CC1",
    "C[NH2+]CC[N-]C",
]
LEFT = [
    "",
    "C1=CC=CC=C1",  # aromatic, written as double bonds
    "O=C1C=CC(=O)C=C1",  # not aromatic, as RDKit has to say
    "C1=CNC=C1",
    "c1ccccc1c1ccccc1",  # no aromatic ring behind the bond between the two
    "CN(=O)=O",  # a valence that RDKit mends
    "C(C)(C)(C)(C)C",
    "[13CH4]",
    "N[C@@H](C)C(=O)O",
    "F/C=C/F",
    "CC.O",
    "[Na+]",
    "[CH3]",
    "[NH4+].[Cl-]",
    "C11",
    "C1C1",
    "C12CC12",
    "CC(",
    "C()C",
    "C((C)C)C",
    "C(C)1CC1",
    "C(1)CC1",
    "CC)",
    "(C)C",
    "C(=)C",
    "C=",
    "=C",
    "C==C",
    "C1CC",
    "C%1C",
    "C%",
    "C[",
    "C[]",
    "C[N+",
    "C[Xx]",
    "Cx",
    "c1ccccc",
    "C=1CC-1",
    "C:C",
    "C$C",
    "C*",
    "C" * 251,
    "c1cc[se]c1",
    "C[O+2]C",
]


def as_bytes(smiles):
    return np.frombuffer(smiles.encode(), np.uint8)


def by_rdkit(smiles):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_plain_graph", lambda smiles: None)
        return molecular_graph(smiles)


def assert_equal(first, second):
    for field in dataclasses.fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name == "elements":
            assert one == other
        else:
            assert one.dtype == other.dtype, field.name
            assert one.tolist() == other.tolist(), field.name


@pytest.mark.parametrize("smiles", READ)
def test_it_reads_what_rdkit_reads(smiles):
    assert parse_plain(as_bytes(smiles))[0]
    assert_equal(molecular_graph(smiles), by_rdkit(smiles))


@pytest.mark.parametrize("smiles", LEFT)
def test_what_is_unusual_or_broken_is_left_to_rdkit(smiles):
    assert not parse_plain(as_bytes(smiles))[0]


@given(st.sampled_from(READ), st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_any_order_of_the_atoms_is_read_as_rdkit_reads_it(smiles, seed):
    molecule = Chem.MolFromSmiles(smiles)
    order = np.random.default_rng(seed).permutation(molecule.GetNumAtoms()).tolist()
    spelling = Chem.MolToSmiles(Chem.RenumberAtoms(molecule, order), canonical=False)
    assert parse_plain(as_bytes(spelling))[0]
    assert_equal(molecular_graph(spelling), by_rdkit(spelling))


SIGNS = ["C", "N", "O", "S", "c", "n", "o", "s", "Cl", "(", ")", "=", "#", "-", "1", "2", "%11", "[nH]", "[N+]", "[O-]"]


@pytest.mark.slow
@given(st.lists(st.sampled_from([*SIGNS, "B", "[", "]", "+", "H", "P", "%", "3"]), max_size=14).map("".join))
@settings(max_examples=1000)
def test_whatever_it_reads_rdkit_reads_too(text):
    if parse_plain(as_bytes(text))[0]:
        assert_equal(molecular_graph(text), by_rdkit(text))
