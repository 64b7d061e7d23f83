import time

import numpy as np
import pytest

from specbridge_tools.constants import ELECTRON_MASS, HYDROGEN_MASS
from specbridge_tools.fragmentation.fragments.fragment_smiles import fragment_smiles
from specbridge_tools.fragmentation.fragments.fragmenter import CAPACITY, fragment
from specbridge_tools.fragmentation.peaks.ions import SHIFTS
from specbridge_tools.molecules.formula import parse_formula
from specbridge_tools.molecules.smiles_graph import molecular_graph

PARACETAMOL = "CC(=O)Nc1ccc(O)cc1"
CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"
GLUCOSE = "OCC1OC(O)C(O)C(O)C1O"
VERAPAMIL = "COc1ccc(CCN(C)CCCC(C#N)(C(C)C)c2ccc(OC)c(OC)c2)cc1OC"
MOLECULES = [PARACETAMOL, CAFFEINE, GLUCOSE, VERAPAMIL, "C1CC2CCC1C2", "C[N+](C)(C)CC(=O)O", "C", "OC(=O)C#CC1=CC=CS1"]

# hand-worked: m/z of ions that are known from the spectra, polarity
KNOWN_IONS = [
    (PARACETAMOL, 1, {"C8H10NO2": 152.0706, "C8H8NO": 134.0600, "C6H8NO": 110.0600, "C6H5O": 93.0335}),
    (PARACETAMOL, 1, {"C6H6N": 92.0495, "C5H5": 65.0386, "C2H3O": 43.0178}),
    (PARACETAMOL, -1, {"C8H8NO2": 150.0561, "C6H5NO": 107.0377}),
    (CAFFEINE, 1, {"C8H11N4O2": 195.0877, "C6H8N3O": 138.0662, "C5H8N3": 110.0713, "C4H7N2": 83.0604}),
    (GLUCOSE, -1, {"C6H11O6": 179.0561, "C6H9O5": 161.0455, "C4H7O4": 119.0350, "C3H5O3": 89.0244, "C2H3O2": 59.0139}),
]  # fmt: skip


def cut(smiles, **settings):
    return fragment(molecular_graph(smiles), **settings)


@pytest.mark.parametrize(("smiles", "polarity", "ions"), KNOWN_IONS)
def test_known_ions_of_known_molecules(atoms_of_ion, smiles, polarity, ions):
    fragments = cut(smiles)
    mz = fragments.masses[:, None] + SHIFTS * HYDROGEN_MASS - polarity * ELECTRON_MASS
    for formula, expected in ions.items():
        index, shift = np.nonzero(np.abs(mz - expected) < 1e-4)
        found = [atoms_of_ion(fragments, *ion) for ion in zip(index, SHIFTS[shift], strict=True)]
        assert parse_formula(formula)[0] in found, formula


def test_fragments_of_ethanol_one_by_one():
    fragments = cut("CCO")
    found = {fragment_smiles(fragments.graph, fragments.atoms(i)): fragments.masses[i] for i in range(len(fragments))}
    assert found == pytest.approx(
        {
            "CCO": 46.041865,
            "C[CH2]": 29.039125,
            "[OH]": 17.002740,
            "[CH2]O": 31.018390,
            "[CH3]": 15.023475,
            "[CH2]": 14.015650,
        },
        abs=1e-5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("smiles", MOLECULES)
def test_every_fragment_is_connected_once_and_weighs_what_its_atoms_weigh(smiles):
    fragments = cut(smiles)
    graph = fragments.graph
    atom_mass = graph.masses + graph.hydrogens * HYDROGEN_MASS
    seen = set()
    for index in range(len(fragments)):
        atoms = fragments.atoms(index)
        assert atoms.any()
        assert _connected(graph, atoms)
        assert fragments.masses[index] == pytest.approx(atom_mass[atoms].sum(), abs=1e-8)
        complement = fragments.masses[0] - fragments.masses[index]
        assert complement == pytest.approx(atom_mass[~atoms].sum(), abs=1e-8)
        assert fragments.hydrogens[index] == graph.hydrogens[atoms].sum()
        crossing = [k for k, (a, b) in enumerate(graph.bonds) if atoms[a] != atoms[b]]
        assert fragments.cut_bonds(index) == crossing
        seen.add(atoms.tobytes())
    assert len(seen) == len(fragments) <= CAPACITY
    assert fragments.atoms(0).all()
    assert (np.diff(fragments.cost) >= 0).all()


def _connected(graph, atoms):
    reached = np.zeros(graph.n_atoms, bool)
    reached[np.flatnonzero(atoms)[0]] = True
    for _ in range(graph.n_atoms):
        for a, b in graph.bonds:
            if atoms[a] and atoms[b] and (reached[a] or reached[b]):
                reached[a] = reached[b] = True
    return (reached == atoms).all()


@pytest.mark.parametrize("smiles", MOLECULES)
def test_the_order_of_the_atoms_changes_nothing(smiles):
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles)
    expected = _by_atoms(cut(smiles), np.arange(molecule.GetNumAtoms()))
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(molecule.GetNumAtoms())
        shuffled = Chem.RenumberAtoms(molecule, order.tolist())
        spelling = Chem.MolToSmiles(shuffled, canonical=False)
        written = [int(atom) for atom in shuffled.GetProp("_smilesAtomOutputOrder").strip("[,]").split(",")]
        found = _by_atoms(cut(spelling), order[written])
        assert found.keys() == expected.keys()
        for atoms, values in found.items():
            assert values == pytest.approx(expected[atoms], abs=1e-6)


def _by_atoms(fragments, names):
    """{the atoms, by their names (n,): (cost, mass, hydrogens)} of each fragment."""
    values = zip(fragments.cost, fragments.masses, fragments.hydrogens, strict=True)
    return {frozenset(names[fragments.atoms(i)].tolist()): value for i, value in enumerate(values)}


GIANTS = {
    "peptide": "NCC(=O)" + "NC(C)C(=O)" * 30 + "O",
    "cyclic peptide": "C1" + "NCC(=O)" * 36 + "C1",
    "alkane": "C" * 150,
    "large ring": "C1" + "C" * 148 + "C1",
    "dendrimer": "C" + "".join(f"({branch})" for branch in ["CC(CC(CC(C)C)CC(C)C)CC(CC(C)C)CC(C)C"] * 4),
    "cyclodextrin": "O1" + "C2C(O)C(O)C(OC2CO)O" * 8 + "C1",
    "ladder": "C1CCC1" + "C2CCC2" * 40,
    "spiro chain": "C1CC1" + "C" + "C2(CC2)" * 45 + "C",
}
CAGES = {
    "cubane": "C12C3C4C1C5C2C3C45",
    "adamantane": "C1C2CC3CC1CC(C2)C3",
    "dodecahedrane": "C12C3C4C5C1C6C7C2C8C3C9C4C1C5C6C2C7C8C9C12",
    "C60": "c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3"
    "c3c8c4c4c9c5c1c1c6c2c3c41",
}


@pytest.mark.parametrize("name", [*GIANTS, *CAGES])
def test_giants_and_cages_are_cut_within_a_second_and_within_the_capacity(name):
    graph = molecular_graph((GIANTS | CAGES)[name])
    assert graph.n_atoms >= (8 if name in CAGES else 80)
    cut("CCO")  # where the loops were not compiled yet
    started = time.process_time()
    fragments = fragment(graph)
    assert time.process_time() - started < 1
    assert 1 <= len(fragments) <= CAPACITY
    atom_mass = graph.masses + graph.hydrogens * HYDROGEN_MASS
    for index in range(0, len(fragments), 50):
        assert fragments.masses[index] == pytest.approx(atom_mass[fragments.atoms(index)].sum(), abs=1e-6)


def test_a_peptide_of_150_atoms_loses_its_ends():
    fragments = cut("NCC(=O)" + "NC(C)C(=O)" * 30 + "O")
    losses = fragments.masses[0] - fragments.masses
    assert np.abs(losses - 58.0293).min() < 1e-3  # glycyl, the N-terminal end
    assert len(fragments) > 50
