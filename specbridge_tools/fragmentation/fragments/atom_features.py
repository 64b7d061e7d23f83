"""What the fragmenter and its ranker see of atoms and bonds. Compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.compiled import compiled
from specbridge_tools.fragmentation.fragments.sizes import ELEMENTS, N_ATOM_FEATURES, N_ELEMENTS
from specbridge_tools.molecules.graph import MolecularGraph

_COLUMN = {symbol: column for column, symbol in enumerate(ELEMENTS)}
_OTHER = N_ELEMENTS - 1
_OXYGEN = _COLUMN["O"]
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
    columns = element_columns(graph)
    return _describe(columns, graph.hydrogens, graph.charges, graph.aromatic, graph.in_ring, graph.bonds, graph.orders)


@compiled
def _describe(
    columns: NDArray[np.int64],
    hydrogens: NDArray[np.int64],
    charges: NDArray[np.int64],
    aromatic: NDArray[np.bool_],
    in_ring: NDArray[np.bool_],
    bonds: NDArray[np.int64],
    orders: NDArray[np.float64],
) -> NDArray[np.float32]:
    features = np.zeros((len(columns), N_ATOM_FEATURES), np.float32)
    n = len(columns)
    degree, hetero, conjugated = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for bond in range(len(bonds)):
        for end in (0, 1):
            atom, other = bonds[bond, end], bonds[bond, 1 - end]
            degree[atom] += 1
            hetero[atom] += columns[other] != 0
            conjugated[atom] += aromatic[other]
            if orders[bond] == 2:
                features[atom, 22 if columns[other] == _OXYGEN else 23] = 1
            elif orders[bond] == 3:
                features[atom, 24] = 1
    for atom in range(len(columns)):
        features[atom, columns[atom]] = 1
        features[atom, N_ELEMENTS + min(hydrogens[atom], 3)] = 1
        features[atom, 14], features[atom, 15] = aromatic[atom], in_ring[atom]
        features[atom, 16], features[atom, 17] = charges[atom] > 0, charges[atom] < 0
        if len(bonds):
            features[atom, 17 + min(max(degree[atom], 1), 4)] = 1
        features[atom, 25], features[atom, 26] = hetero[atom] / 3, conjugated[atom] / 3
        features[atom, 27] = 1
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
    return _costs(features, graph.bonds, graph.orders, graph.bond_aromatic, graph.bond_in_ring)


@compiled
def _costs(
    features: NDArray[np.float32],
    bonds: NDArray[np.int64],
    orders: NDArray[np.float64],
    aromatic: NDArray[np.bool_],
    in_ring: NDArray[np.bool_],
) -> NDArray[np.int64]:
    costs = np.empty(len(bonds), np.int64)
    for bond in range(len(bonds)):
        first, second = bonds[bond, 0], bonds[bond, 1]
        if aromatic[bond]:
            costs[bond] = _AROMATIC_COST
            continue
        costs[bond] = _ORDER_COST[min(int(orders[bond]), _MAX_ORDER)]
        if features[first, 0] == 0 or features[second, 0] == 0:
            costs[bond] -= 1
            has_carbonyl = features[first, 22] > 0 or features[second, 22] > 0
            costs[bond] -= has_carbonyl and not in_ring[bond] and orders[bond] == 1
    return costs
