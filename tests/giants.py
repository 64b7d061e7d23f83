"""Molecules that nobody has made, on which chemistry takes long."""

from rdkit import Chem


def torus(n):
    """SMILES of n * n carbons in a grid without an edge: as many atoms as rings, and one."""
    row = [(i * n + j, i * n + (j + 1) % n) for i in range(n) for j in range(n)]
    return _smiles(n * n, row + [(i * n + j, (i + 1) % n * n + j) for i in range(n) for j in range(n)])


def spiro(n):
    """SMILES of n rings of four carbons in a row, neighbours sharing one."""
    corners = ((0, 1), (0, 2), (1, 3), (2, 3))
    return _smiles(3 * n + 1, [(3 * i + a, 3 * i + b) for i in range(n) for a, b in corners])


def molfile(smiles):
    """The molfile (V3000) of a SMILES, without coordinates and before any ring is looked for."""
    molecule = Chem.MolFromSmiles(smiles, sanitize=False)
    molecule.UpdatePropertyCache()
    Chem.FastFindRings(molecule)
    return Chem.MolToMolBlock(molecule, includeStereo=False, kekulize=False, forceV3000=True)


def _smiles(n_atoms, bonds):
    molecule = Chem.RWMol()
    for _ in range(n_atoms):
        molecule.AddAtom(Chem.Atom("C"))
    for begin, end in bonds:
        molecule.AddBond(begin, end, Chem.BondType.SINGLE)
    return Chem.MolToSmiles(molecule)
