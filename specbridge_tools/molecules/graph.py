"""A molecule as arrays of atoms and bonds, for whoever cuts it into pieces."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class MolecularGraph:
    """The n heavy atoms and m bonds of a molecule, in the order of its SMILES.

    elements         n symbols
    masses           (n,) float64, Da: the atom alone, most abundant isotope
    hydrogens        (n,) int64, hydrogens on the atom
    charges          (n,) int64, formal charges
    aromatic         (n,) bool
    in_ring          (n,) bool
    bonds            (m, 2) int64, pairs of atoms, the lower first
    orders           (m,) float64: 1, 2, 3, or 1.5 for an aromatic bond; 0 for what is none of these (dative)
    bond_aromatic    (m,) bool
    bond_in_ring     (m,) bool
    """

    elements: tuple[str, ...]
    masses: np.ndarray
    hydrogens: np.ndarray
    charges: np.ndarray
    aromatic: np.ndarray
    in_ring: np.ndarray
    bonds: np.ndarray
    orders: np.ndarray
    bond_aromatic: np.ndarray
    bond_in_ring: np.ndarray

    @property
    def n_atoms(self):
        return len(self.masses)

    @property
    def n_bonds(self):
        return len(self.orders)
