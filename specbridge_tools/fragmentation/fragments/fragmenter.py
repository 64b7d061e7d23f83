"""A molecule's fragments: cut, combined and weighed."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.constants import HYDROGEN_MASS
from specbridge_tools.fragmentation.fragments.atom_features import atom_features, bond_costs
from specbridge_tools.fragmentation.fragments.combine import combine, sums, what_is_left
from specbridge_tools.fragmentation.fragments.pieces import find_pieces
from specbridge_tools.molecules.graph import MolecularGraph

CAPACITY = 700
COST_LIMIT = 28
MOST_PIECES = 256


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """The fragments of one molecule, cheapest first; the first is the molecule itself.

    Attributes:
        graph: The molecule, n heavy atoms.
        features: (n, N_ATOM_FEATURES).
        piece_atoms: (k, n) the atoms of the pieces that can be removed.
        cuts: (c, 3) piece, bond and the end of the bond (0 or 1) that goes with the piece.
        sets: (f, sizes.MAX_PIECES) the pieces that each fragment lacks, then k as a filler.
        cost: (f,) sum of the costs of the cut bonds.
        masses: (f,) Da: heavy atoms and the hydrogens on them, bonds left open.
        hydrogens: (f,) hydrogens on the heavy atoms.
    """

    graph: MolecularGraph
    features: NDArray[np.float32]
    piece_atoms: NDArray[np.bool_]
    cuts: NDArray[np.int64]
    sets: NDArray[np.int32]
    cost: NDArray[np.int64]
    masses: NDArray[np.float64]
    hydrogens: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.masses)

    @property
    def n_pieces(self) -> int:
        return len(self.piece_atoms)

    def atoms(self, index: int) -> NDArray[np.bool_]:
        """Which atoms (n,) a fragment has."""
        removed = self.sets[index]
        atoms: NDArray[np.bool_] = ~self.piece_atoms[removed[removed < self.n_pieces]].any(axis=0)
        return atoms

    def cut_bonds(self, index: int) -> list[int]:
        """Sorted numbers of the bonds cut to make a fragment."""
        bonds: list[int] = self.cuts[(self.cuts[:, :1] == self.sets[index]).any(axis=1), 1].tolist()
        return sorted(bonds)


def fragment(graph: MolecularGraph, *, capacity: int = CAPACITY, limit: int = COST_LIMIT) -> Fragments:
    """Cut a molecule, which must be one connected part, into its fragments.

    At most `MAX_PIECES` pieces are removed, at a cost of at most `limit`, or of the highest cost up to which there are
    at most `capacity` fragments. Where there are more than `MOST_PIECES` pieces, those are used that cost less than
    the first one too many. These bounds keep the time of large molecules linear in their number of atoms.
    """
    features = atom_features(graph)
    pieces = find_pieces(graph.n_atoms, graph.bonds, bond_costs(graph, features), limit, MOST_PIECES)
    sets, cost = combine(pieces.words, pieces.closed, pieces.labels, pieces.cost, capacity, limit)
    masses = graph.masses + graph.hydrogens * HYDROGEN_MASS
    piece_masses: NDArray[np.float64] = pieces.atoms.astype(np.float64) @ masses
    return Fragments(
        graph,
        features,
        pieces.atoms,
        pieces.cuts,
        sets,
        cost,
        what_is_left(masses.sum(), piece_masses, sets),
        what_is_left(graph.hydrogens.sum(), sums(pieces.atoms, graph.hydrogens), sets),
    )
