import numpy as np
import pytest
from rdkit import Chem

from specbridge_tools.fragmentation.fragments.fragment_smiles import fragment_smiles
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.molecules.smiles_graph import molecular_graph


@pytest.mark.parametrize(
    "smiles",
    [
        "CN1CCC23C4Oc5c(O)ccc(CC1C2C=CC4O)c53",
        "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
        "O=C(O)c1c[nH]c2ccc(-c3ccccc3)cc12",
        "C[N+](C)(C)CC(=O)[O-]",
        "C1CC2CCC1C2",
    ],
)
def test_the_whole_molecule_is_written_as_itself(smiles):
    graph = molecular_graph(smiles)
    text = fragment_smiles(graph, np.ones(graph.n_atoms, bool))
    assert Chem.CanonSmiles(text) == Chem.CanonSmiles(smiles)


def test_fragments_keep_their_hydrogens():
    fragments = fragment(molecular_graph("CC(=O)Nc1ccc(O)cc1"))
    for index in range(len(fragments)):
        atoms = fragments.atoms(index)
        molecule = Chem.MolFromSmiles(fragment_smiles(fragments.graph, atoms), sanitize=False)
        molecule.UpdatePropertyCache(strict=False)
        assert molecule.GetNumAtoms() == atoms.sum()
        assert sum(atom.GetTotalNumHs() for atom in molecule.GetAtoms()) == fragments.hydrogens[index]
