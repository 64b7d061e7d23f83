"""A molecule's fragments: cut, combined and weighed."""

import dataclasses

import numpy as np

from specbridge_tools.constants import HYDROGEN_MASS
from specbridge_tools.fragmentation.fragments.atom_features import atom_features, bond_costs
from specbridge_tools.fragmentation.fragments.combine import combine, go_together, label_words, mask_words, unpack_words
from specbridge_tools.fragmentation.fragments.pieces import find_pieces
from specbridge_tools.molecules.graph import MolecularGraph

CAPACITY = 700
COST_LIMIT = 28
MOST_PIECES = 256


@dataclasses.dataclass(frozen=True, eq=False)
class Fragments:
    """The fragments of one molecule, cheapest first; the first is the molecule itself.

    graph       the molecule, n heavy atoms
    features    (n, N_ATOM_FEATURES) float32
    piece_atoms (k, n) bool: the pieces that can be taken off
    cuts        (c, 3) int64: piece, bond and which end of the bond (0 or 1) goes with the piece
    sets        (f, combine.MAX_PIECES) int32: the pieces taken off each fragment, then k as a filler
    cost        (f,) int64: sum of the costs of the cut bonds
    masses      (f,) float64, Da: heavy atoms and the hydrogens on them, bonds left open
    hydrogens   (f,) int64: hydrogens on them
    """

    graph: MolecularGraph
    features: np.ndarray
    piece_atoms: np.ndarray
    cuts: np.ndarray
    sets: np.ndarray
    cost: np.ndarray
    masses: np.ndarray
    hydrogens: np.ndarray

    def __len__(self):
        return len(self.masses)

    @property
    def n_pieces(self):
        return len(self.piece_atoms)

    def atoms(self, index):
        """(n,) bool: the atoms of a fragment."""
        taken = self.sets[index]
        return ~self.piece_atoms[taken[taken < self.n_pieces]].any(axis=0)

    def cut_bonds(self, index):
        """Sorted numbers of the bonds cut to make a fragment."""
        return sorted(int(bond) for piece, bond, _ in self.cuts if piece in self.sets[index])


def fragment(graph, *, capacity=CAPACITY, limit=COST_LIMIT):
    """Cut a molecule, given as `MolecularGraph` of one connected part, into its fragments.

    At most `combine.MAX_PIECES` pieces are taken off, at a cost of at most `limit`, or at the highest cost up to which
    there are at most `capacity` fragments. Of the pieces, the cheapest whole levels of at most `MOST_PIECES` are used.
    These bounds keep the time of large molecules linear in their number of atoms.
    """
    features = atom_features(graph)
    pieces = find_pieces(graph.n_atoms, graph.bonds.tolist(), bond_costs(graph, features).tolist(), max_cost=limit)
    if len(pieces) > MOST_PIECES:
        dearest = pieces[MOST_PIECES].cost
        pieces = [piece for piece in pieces if piece.cost < dearest]
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


def _cuts(pieces, piece_atoms, bonds):
    piece = np.repeat(np.arange(len(pieces)), [len(piece.bonds) for piece in pieces])
    bond = np.array([bond for piece in pieces for bond in piece.bonds], np.int64)
    return np.stack([piece, bond, ~piece_atoms[piece, bonds[bond, 0]]], axis=1)


def _with_neighbours(words, cuts, graph):
    """(k, words) uint64: the atoms of each piece, and those that its cut bonds part from it."""
    if not len(words):
        return words
    piece, bond, end = cuts.T
    atom_words = mask_words([1 << atom for atom in range(graph.n_atoms)], graph.n_atoms)
    beside = atom_words[graph.bonds[bond, 1 - end]]
    return words | np.bitwise_or.reduceat(beside, np.searchsorted(piece, np.arange(len(words))))
