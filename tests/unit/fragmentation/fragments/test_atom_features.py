"""What compiled loops say of atoms and bonds, against the definition, written plainly."""

import numpy as np
import pytest
from rdkit import Chem

from specbridge_tools.fragmentation.fragments.atom_features import atom_features, bond_costs
from specbridge_tools.fragmentation.fragments.sizes import ELEMENTS
from specbridge_tools.molecules.smiles_graph import molecular_graph

MOLECULES = [
    "CC(=O)Nc1ccc(O)cc1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "C[N+](C)(C)CC(=O)[O-]",
    "OC(=O)C#CC1=CC=CS1",
    "C[Si](C)(C)OP(=O)(OCC(F)(F)C(Cl)(Br)I)SC",
    "CC1(C)SC2C(NC(=O)Cc3ccccc3)C(=O)N2C1C(=O)O",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "O=S(=O)(c1ccccc1)N=C=O",
    "C",
    "[NH4+]",
]


def features_by_hand(atom):
    neighbours = atom.GetNeighbors()
    bonds = [(bond.GetBondTypeAsDouble(), bond.GetOtherAtom(atom)) for bond in atom.GetBonds()]
    degree = len(neighbours)
    return [
        *(atom.GetSymbol() == symbol for symbol in ELEMENTS),
        atom.GetSymbol() not in ELEMENTS,
        *(min(atom.GetTotalNumHs(), 3) == count for count in range(4)),
        atom.GetIsAromatic(),
        atom.IsInRing(),
        atom.GetFormalCharge() > 0,
        atom.GetFormalCharge() < 0,
        *(min(degree, 4) == count for count in (1, 2, 3, 4)),
        any(order == 2 and other.GetSymbol() == "O" for order, other in bonds),
        any(order == 2 and other.GetSymbol() != "O" for order, other in bonds),
        any(order == 3 for order, _ in bonds),
        sum(other.GetSymbol() != "C" for other in neighbours) / 3,
        sum(other.GetIsAromatic() for other in neighbours) / 3,
        1,
    ]


def cost_by_hand(bond):
    ends = bond.GetBeginAtom(), bond.GetEndAtom()
    if bond.GetIsAromatic():
        return 7
    cost = {1: 4, 2: 7, 3: 9}[int(bond.GetBondTypeAsDouble())]
    if all(end.GetSymbol() == "C" for end in ends):
        return cost
    at_carbonyl = any(
        other.GetBondTypeAsDouble() == 2 and other.GetOtherAtom(end).GetSymbol() == "O"
        for end in ends
        for other in end.GetBonds()
    )
    is_labile = at_carbonyl and cost == 4 and not bond.IsInRing()
    return cost - 1 - is_labile


@pytest.mark.parametrize("smiles", MOLECULES)
def test_columns_and_costs_are_those_of_the_definition(smiles):
    graph = molecular_graph(smiles)
    molecule = Chem.MolFromSmiles(smiles)
    features = atom_features(graph)
    expected = np.array([features_by_hand(atom) for atom in molecule.GetAtoms()], np.float64).astype(np.float32)
    assert features.tolist() == expected.tolist()
    bond_between = [molecule.GetBondBetweenAtoms(int(first), int(second)) for first, second in graph.bonds]
    assert bond_costs(graph, features).tolist() == [cost_by_hand(bond) for bond in bond_between]
