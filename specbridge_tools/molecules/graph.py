"""A molecule as arrays of atoms and bonds, ready to be cut into pieces."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, eq=False)
class MolecularGraph:
    """The n heavy atoms and m bonds of a molecule, in the order of its SMILES.

    Attributes:
        elements: n symbols.
        masses: (n,), Da: the atom alone, most abundant isotope.
        hydrogens: (n,), hydrogens on the atom.
        charges: (n,), formal charges.
        aromatic: (n,).
        in_ring: (n,).
        bonds: (m, 2), pairs of atoms, the lower first.
        orders: (m,): 1, 2, 3, or 1.5 for an aromatic bond; 0 for any other (dative).
        bond_aromatic: (m,).
        bond_in_ring: (m,).
    """

    elements: tuple[str, ...]
    masses: NDArray[np.float64]
    hydrogens: NDArray[np.int64]
    charges: NDArray[np.int64]
    aromatic: NDArray[np.bool_]
    in_ring: NDArray[np.bool_]
    bonds: NDArray[np.int64]
    orders: NDArray[np.float64]
    bond_aromatic: NDArray[np.bool_]
    bond_in_ring: NDArray[np.bool_]

    @property
    def n_atoms(self) -> int:
        return len(self.masses)

    @property
    def n_bonds(self) -> int:
        return len(self.orders)
