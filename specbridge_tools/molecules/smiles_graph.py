"""SMILES -> the graph of the heavy atoms."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from specbridge_tools.errors import DataError
from specbridge_tools.molecules import reasons
from specbridge_tools.molecules.chemistry import AS_WRITTEN, MAX_ATOMS, MAX_RINGS, parse_smiles
from specbridge_tools.molecules.graph import MolecularGraph
from specbridge_tools.molecules.plain_smiles import AROMATIC, HEAVIEST, read_plain
from specbridge_tools.molecules.raw import MAX_TEXT

_ORDERS = {
    Chem.BondType.SINGLE: 1.0,
    Chem.BondType.DOUBLE: 2.0,
    Chem.BondType.TRIPLE: 3.0,
    Chem.BondType.AROMATIC: 1.5,
}
# no hydrogen as an atom, no bond of another order than 1, 2, 3 and aromatic
_AS_WE_WRITE = re.compile(r"(?:[\w()\]=#+@/\\.:%-]|\[(?!\d*H))*")


def molecular_graph(smiles: str) -> MolecularGraph:
    """The graph of the heavy atoms.

    Raises:
        DataError: The SMILES cannot be read.
    """
    graph = _plain_graph(smiles)
    if graph is not None:
        return graph
    with rdBase.BlockLogs():
        graph = _graph_as_written(smiles)
        if graph is not None:
            return graph
        try:
            molecule = parse_smiles(smiles)
        except (RuntimeError, ValueError) as error:  # e.g. a valence
            raise DataError(reasons.UNREADABLE) from error
        return _graph(molecule, _order)


def _plain_graph(smiles: str) -> MolecularGraph | None:
    """The graph of a SMILES that `read_plain` reads, which is the one that RDKit makes of it; else None."""
    parsed = read_plain(smiles)
    if parsed is None:
        return None
    _, numbers, hydrogens, charges, aromatic, in_ring, bonds, tenths, bond_in_ring = parsed
    symbols, masses = _elements()
    return MolecularGraph(
        elements=tuple(map(symbols.__getitem__, numbers.tolist())),
        masses=masses[numbers],
        hydrogens=hydrogens,
        charges=charges,
        aromatic=aromatic,
        in_ring=in_ring,
        bonds=bonds,
        orders=tenths / 10,
        bond_aromatic=tenths == AROMATIC,
        bond_in_ring=bond_in_ring,
    )


@functools.cache
def _elements() -> tuple[list[str], NDArray[np.float64]]:
    """Symbols and masses (Da), by atomic number, as far as `parse_plain` knows elements."""
    symbols = ["", *map(Chem.GetPeriodicTable().GetElementSymbol, range(1, HEAVIEST + 1))]
    return symbols, np.array([0.0, *map(_isotope_mass, symbols[1:])])


def _graph_as_written(smiles: str) -> MolecularGraph | None:
    """The graph of a SMILES whose rings say what is aromatic, as every SMILES of ours does; else None.

    It need not be made sound and described anew then, which takes four times as long. That an aromatic ring cannot be
    one is not noticed.
    """
    if len(smiles) > MAX_TEXT or not _AS_WE_WRITE.fullmatch(smiles):
        return None
    molecule = Chem.MolFromSmiles(smiles, AS_WRITTEN)
    if molecule is None or not 0 < molecule.GetNumAtoms() <= MAX_ATOMS:
        return None
    if molecule.GetNumBonds() - molecule.GetNumAtoms() >= MAX_RINGS:
        return None
    try:
        molecule.UpdatePropertyCache()
    except ValueError:  # valences that rdkit would mend
        return None
    Chem.FastFindRings(molecule)
    graph = _graph(molecule, Chem.Bond.GetBondTypeAsDouble)
    # a ring with double bonds may be an aromatic one
    return None if (graph.bond_in_ring & (graph.orders == 2)).any() else graph


def _graph(molecule: Chem.Mol, order: Callable[[Chem.Bond], float]) -> MolecularGraph:
    n, m = molecule.GetNumAtoms(), molecule.GetNumBonds()
    # one pass by number: rdkit's own iterators ask for the length at every step
    atoms = list(map(molecule.GetAtomWithIdx, range(n)))
    bonds = list(map(molecule.GetBondWithIdx, range(m)))
    symbols = tuple(map(Chem.Atom.GetSymbol, atoms))
    begin = np.fromiter(map(Chem.Bond.GetBeginAtomIdx, bonds), np.int64, m)
    end = np.fromiter(map(Chem.Bond.GetEndAtomIdx, bonds), np.int64, m)
    return MolecularGraph(
        elements=symbols,
        masses=np.fromiter(map(_isotope_mass, symbols), np.float64, n),
        hydrogens=np.fromiter(map(Chem.Atom.GetTotalNumHs, atoms), np.int64, n),
        charges=np.fromiter(map(Chem.Atom.GetFormalCharge, atoms), np.int64, n),
        aromatic=np.fromiter(map(Chem.Atom.GetIsAromatic, atoms), bool, n),
        in_ring=np.fromiter(map(Chem.Atom.IsInRing, atoms), bool, n),
        bonds=np.stack([np.minimum(begin, end), np.maximum(begin, end)], axis=1),
        orders=np.fromiter(map(order, bonds), np.float64, m),
        bond_aromatic=np.fromiter(map(Chem.Bond.GetIsAromatic, bonds), bool, m),
        bond_in_ring=np.fromiter(map(Chem.Bond.IsInRing, bonds), bool, m),
    )


def _order(bond: Chem.Bond) -> float:
    return _ORDERS.get(bond.GetBondType(), 0.0)


@functools.cache
def _isotope_mass(symbol: str) -> float:
    """Mass (Da) of the most common isotope of an element."""
    return Chem.GetPeriodicTable().GetMostCommonIsotopeMass(symbol)
