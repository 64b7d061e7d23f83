"""What the fragmenter and its ranker see of atoms and bonds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.molecules.graph import MolecularGraph

ELEMENTS = ("C", "N", "O", "S", "P", "F", "Cl", "Br", "I")
N_ELEMENTS = len(ELEMENTS) + 1  # the last column is any other element
_COLUMN = {symbol: column for column, symbol in enumerate(ELEMENTS)}
_OTHER = N_ELEMENTS - 1
_OXYGEN = _COLUMN["O"]
N_ATOM_FEATURES = N_ELEMENTS + 18
N_BOND_KINDS = 8
_MAX_ORDER = 3

# costs of cutting a bond, in units of a quarter of an acyclic carbon-carbon single bond
_AROMATIC_COST = 7
_ORDER_COST = np.array([4, 4, 7, 9])


def element_columns(graph: MolecularGraph) -> NDArray[np.int64]:
    """The column (n,) of each atom's element."""
    return np.array([_COLUMN.get(symbol, _OTHER) for symbol in graph.elements], np.int64)


def atom_features(graph: MolecularGraph) -> NDArray[np.float32]:
    """Describe the atoms of a molecule.

    Returns:
        (n, N_ATOM_FEATURES). Columns: element (10, one-hot), 0, 1, 2 or at least 3 hydrogens (4), aromatic, in a ring,
        positive, negative, 1, 2, 3 or at least 4 neighbours (4), double bond to oxygen, double bond to another atom,
        triple bond, neighbours other than carbon / 3, aromatic neighbours / 3, and 1.
    """
    n = graph.n_atoms
    rows = np.arange(n)
    features = np.zeros((n, N_ATOM_FEATURES), np.float32)
    features[rows, element_columns(graph)] = 1
    features[rows, N_ELEMENTS + np.minimum(graph.hydrogens, 3)] = 1
    features[:, 14], features[:, 15] = graph.aromatic, graph.in_ring
    features[:, 16], features[:, 17] = graph.charges > 0, graph.charges < 0
    features[:, 27] = 1
    if not graph.n_bonds:
        return features
    first, second = np.concatenate([graph.bonds, graph.bonds[:, ::-1]]).T
    order = np.concatenate([graph.orders, graph.orders])
    double, to_oxygen = order == 2, features[second, _OXYGEN] > 0
    features[rows, 18 + np.clip(np.bincount(first, minlength=n), 1, 4) - 1] = 1
    features[first[double & to_oxygen], 22] = 1
    features[first[double & ~to_oxygen], 23] = 1
    features[first[order == 3], 24] = 1
    features[:, 25] = np.bincount(first[features[second, 0] == 0], minlength=n) / 3
    features[:, 26] = np.bincount(first[graph.aromatic[second]], minlength=n) / 3
    return features


def bond_kinds(graph: MolecularGraph) -> NDArray[np.int64]:
    """Kinds (m,) in [0, N_BOND_KINDS): 0 aromatic, else the order (1 to 3); 4 more where the bond is in a ring."""
    order = np.where(graph.bond_aromatic, 0, graph.orders).astype(np.int64)
    return np.minimum(order, _MAX_ORDER) + 4 * graph.bond_in_ring


def bond_costs(graph: MolecularGraph, features: NDArray[np.float32]) -> NDArray[np.int64]:
    """The cost (m,) > 0 of cutting each bond.

    A single bond costs 4, a double bond 7, a triple bond 9, an aromatic bond 7; a bond to an atom other than carbon 1
    less, and 2 less where it is an acyclic single bond at a carbonyl or the like (amide, ester).
    """
    cost = _ORDER_COST[np.minimum(graph.orders.astype(np.int64), _MAX_ORDER)]
    first, second = graph.bonds[:, 0], graph.bonds[:, 1]
    mixed = (features[first, 0] == 0) | (features[second, 0] == 0)
    carbonyl = (features[first, 22] > 0) | (features[second, 22] > 0)
    labile = mixed & carbonyl & ~graph.bond_in_ring & (graph.orders == 1)
    return np.where(graph.bond_aromatic, _AROMATIC_COST, cost - mixed - labile)
