import dataclasses

import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.molecules import smiles_graph
from specbridge_tools.molecules.chemistry import standardise
from specbridge_tools.molecules.smiles_graph import molecular_graph


def test_molecular_graph():
    graph = molecular_graph("C[N+](C)(C)Cc1ccccc1C#N")
    assert graph.elements == ("C", "N", "C", "C", "C", *("C",) * 6, "C", "N")
    assert graph.n_atoms == 13
    assert graph.n_bonds == 13
    assert graph.charges.tolist() == [0, 1, *[0] * 11]
    assert graph.hydrogens.sum() == 15
    assert graph.masses[0] == 12.0
    assert graph.masses[1] == pytest.approx(14.003074, abs=1e-6)
    assert graph.aromatic.sum() == graph.in_ring.sum() == 6
    assert graph.bond_aromatic.sum() == graph.bond_in_ring.sum() == 6
    assert sorted(graph.orders.tolist()) == [1.0] * 6 + [1.5] * 6 + [3.0]
    assert (graph.bonds[:, 0] < graph.bonds[:, 1]).all()
    assert set(graph.bonds[graph.bond_in_ring].ravel()) == set(np.flatnonzero(graph.in_ring))


def test_molecular_graph_of_one_atom():
    graph = molecular_graph("C")
    assert (graph.n_atoms, graph.n_bonds, graph.bonds.shape) == (1, 0, (0, 2))
    assert graph.hydrogens.tolist() == [4]


@pytest.mark.parametrize("smiles", ["C1CC", "C=[N]=N", "CN(C)(C)(C)C"])
def test_an_unreadable_smiles_is_a_data_error(smiles):
    with pytest.raises(DataError, match="cannot be read"):
        molecular_graph(smiles)


# what stands in a library, and what nobody writes who writes canonical SMILES
WRITTEN = ["CC(=O)Nc1ccc(O)cc1", "c1cc[nH]c1", "O=[N+]([O-])c1ccccc1", "C[N+](C)(C)CC#N", "C[C@H](N)C(=O)O", "F/C=C/F"]
WRITTEN += ["CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "C[Si](C)(C)O", "OB(O)c1ccc2ccccc2c1"]
SPELLED_OTHERWISE = [
    "C1=CC=CC=C1",
    "O=N(=O)c1ccccc1",
    "[H]OC",
    "[2H]C",
    "C1=CC2=CC=CC=C2C=C1",
    "OCl(=O)(=O)=O",
]


@pytest.mark.parametrize("smiles", WRITTEN + SPELLED_OTHERWISE)
def test_the_short_way_gives_the_graph_of_the_long_one(smiles, monkeypatch):
    quick = molecular_graph(smiles)
    monkeypatch.setattr(smiles_graph, "_graph_as_written", lambda smiles: None)
    slow = molecular_graph(smiles)
    for field in dataclasses.fields(slow):
        assert np.array_equal(getattr(quick, field.name), getattr(slow, field.name)), field.name


def test_canonical_smiles_go_the_short_way():
    canonical = [standardise(smiles).smiles for smiles in WRITTEN]
    assert sum(smiles_graph._graph_as_written(smiles) is not None for smiles in canonical) >= 9
