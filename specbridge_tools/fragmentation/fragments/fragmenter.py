"""A molecule's fragments: cut, combined and weighed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.constants import HYDROGEN_MASS
from specbridge_tools.fragmentation.fragments.atom_features import atom_features, bond_costs
from specbridge_tools.fragmentation.fragments.combine import combine, go_together, label_words, mask_words, unpack_words
from specbridge_tools.fragmentation.fragments.pieces import Piece, find_pieces
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
        sets: (f, combine.MAX_PIECES) the pieces that each fragment lacks, then k as a filler.
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
        return sorted(int(bond) for piece, bond, _ in self.cuts if piece in self.sets[index])


def fragment(graph: MolecularGraph, *, capacity: int = CAPACITY, limit: int = COST_LIMIT) -> Fragments:
    """Cut a molecule, which must be one connected part, into its fragments.

    At most `combine.MAX_PIECES` pieces are removed, at a cost of at most `limit`, or of the highest cost up to which
    there are at most `capacity` fragments. Where there are more than `MOST_PIECES` pieces, those are used that cost
    less than the first one too many. These bounds keep the time of large molecules linear in their number of atoms.
    """
    features = atom_features(graph)
    pieces = find_pieces(graph.n_atoms, graph.bonds.tolist(), bond_costs(graph, features).tolist(), max_cost=limit)
    if len(pieces) > MOST_PIECES:
        too_expensive = pieces[MOST_PIECES].cost
        pieces = [piece for piece in pieces if piece.cost < too_expensive]
    words = mask_words([piece.atoms for piece in pieces], graph.n_atoms)
    piece_atoms = unpack_words(words, graph.n_atoms)
    cuts = _cuts(pieces, piece_atoms, graph.bonds)
    labels = label_words([piece.label for piece in pieces])
    together = go_together(words, _with_neighbours(words, cuts, graph), labels)
    cost = np.array([piece.cost for piece in pieces], np.int64)
    sets, set_cost = combine(together, labels, cost, capacity=capacity, limit=limit)
    masses = graph.masses + graph.hydrogens * HYDROGEN_MASS
    piece_masses = np.append(piece_atoms @ masses, 0.0)
    piece_hydrogens = np.append(piece_atoms @ graph.hydrogens, 0)
    return Fragments(
        graph,
        features,
        piece_atoms,
        cuts,
        sets,
        set_cost,
        masses.sum() - piece_masses[sets].sum(axis=1),
        graph.hydrogens.sum() - piece_hydrogens[sets].sum(axis=1),
    )


def _cuts(pieces: Sequence[Piece], piece_atoms: NDArray[np.bool_], bonds: NDArray[np.int64]) -> NDArray[np.int64]:
    piece = np.repeat(np.arange(len(pieces)), [len(piece.bonds) for piece in pieces])
    bond = np.array([bond for piece in pieces for bond in piece.bonds], np.int64)
    return np.stack([piece, bond, ~piece_atoms[piece, bonds[bond, 0]]], axis=1)


def _with_neighbours(words: NDArray[np.uint64], cuts: NDArray[np.int64], graph: MolecularGraph) -> NDArray[np.uint64]:
    """The atoms (k, words) of each piece, and those at the other ends of its cut bonds."""
    if not len(words):
        return words
    piece, bond, end = cuts.T
    atom_words = mask_words([1 << atom for atom in range(graph.n_atoms)], graph.n_atoms)
    beside = atom_words[graph.bonds[bond, 1 - end]]
    return words | np.bitwise_or.reduceat(beside, np.searchsorted(piece, np.arange(len(words))))
