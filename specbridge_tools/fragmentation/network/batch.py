"""Candidates of one query side by side, as the arrays that the ranker works on."""

import dataclasses
import functools

import numpy as np
from scipy import sparse

from specbridge_tools.fragmentation.fragments.atom_features import N_ELEMENTS, bond_kinds
from specbridge_tools.fragmentation.fragments.fragmenter import Fragments


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateArrays:
    """One candidate; n atoms, m bonds, k pieces, c cuts, f fragments.

    atoms     (n, N_ATOM_FEATURES) float32
    bonds     (m, 2) int64
    members   (k, n) bool: atoms of the pieces
    cuts      (c, 4) int64: piece, atom that stays, atom that goes, kind of the bond
    sets      (f, MAX_PIECES) int32: pieces taken off a fragment, then k as a filler
    masses    (f,) float64, Da; the first is the candidate itself
    hydrogens (f,) int64
    formula   (N_ELEMENTS + 1,) int64: atoms by element, then hydrogens
    """

    atoms: np.ndarray
    bonds: np.ndarray
    members: np.ndarray
    cuts: np.ndarray
    sets: np.ndarray
    masses: np.ndarray
    hydrogens: np.ndarray
    formula: np.ndarray


def candidate_arrays(fragments: Fragments):
    """`Fragments` -> `CandidateArrays`."""
    graph = fragments.graph
    piece, bond, going = fragments.cuts.T
    cuts = np.stack([piece, graph.bonds[bond, 1 - going], graph.bonds[bond, going], bond_kinds(graph)[bond]], axis=1)
    elements = fragments.features[:, :N_ELEMENTS].sum(axis=0).astype(np.int64)
    return CandidateArrays(
        fragments.features,
        graph.bonds,
        fragments.piece_atoms,
        cuts,
        fragments.sets,
        fragments.masses,
        fragments.hydrogens,
        np.append(elements, graph.hydrogens.sum()),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateBatch:
    """Candidates concatenated; numbers of atoms, pieces and fragments run through.

    atoms     (N, N_ATOM_FEATURES) float32
    bonds     (M, 2) int64
    members   (K, N) sparse rows of float32 ones
    cuts      (C, 4) int64
    sets      (F, K) sparse rows of float32 ones: pieces taken off each fragment
    masses    (F,) float64
    hydrogens (F,) int64
    formulas  (B, N_ELEMENTS + 1) int64
    n_atoms, n_pieces, n_fragments  (B,) int64
    """

    atoms: np.ndarray
    bonds: np.ndarray
    members: sparse.csr_matrix
    cuts: np.ndarray
    sets: sparse.csr_matrix
    masses: np.ndarray
    hydrogens: np.ndarray
    formulas: np.ndarray
    n_atoms: np.ndarray
    n_pieces: np.ndarray
    n_fragments: np.ndarray

    def __len__(self):
        return len(self.n_fragments)

    @functools.cached_property
    def owner(self):
        """(F,) int64: candidate of each fragment."""
        return np.repeat(np.arange(len(self)), self.n_fragments)

    @functools.cached_property
    def intact(self):
        """(B,) int64: the fragment that is each candidate itself."""
        return np.cumsum(self.n_fragments) - self.n_fragments


def join(candidates):
    """A list of at least one `CandidateArrays` -> `CandidateBatch`."""
    n_atoms = np.array([len(one.atoms) for one in candidates])
    n_pieces = np.array([len(one.members) for one in candidates])
    n_fragments = np.array([len(one.masses) for one in candidates])
    atom_start, piece_start = _starts(n_atoms), _starts(n_pieces)
    bonds = [one.bonds + start for one, start in zip(candidates, atom_start, strict=True)]
    cuts = [
        one.cuts + np.array([piece, atom, atom, 0])
        for one, piece, atom in zip(candidates, piece_start, atom_start, strict=True)
    ]
    sets = np.concatenate([one.sets for one in candidates])
    owner = np.repeat(np.arange(len(candidates)), n_fragments)
    taken = sets < n_pieces[owner, None]
    return CandidateBatch(
        np.concatenate([one.atoms for one in candidates]),
        np.concatenate(bonds),
        _member_matrix(candidates, atom_start, n_atoms),
        np.concatenate(cuts),
        _rows_of_ones(taken.sum(axis=1), (sets + piece_start[owner, None])[taken], n_pieces.sum()),
        np.concatenate([one.masses for one in candidates]),
        np.concatenate([one.hydrogens for one in candidates]),
        np.stack([one.formula for one in candidates]),
        n_atoms,
        n_pieces,
        n_fragments,
    )


def _starts(counts):
    return np.cumsum(counts) - counts


def _member_matrix(candidates, atom_start, n_atoms):
    counts = np.concatenate([np.count_nonzero(one.members, axis=1) for one in candidates])
    columns = [
        np.flatnonzero(one.members) % len(one.atoms) + start for one, start in zip(candidates, atom_start, strict=True)
    ]
    return _rows_of_ones(counts, np.concatenate(columns), n_atoms.sum())


def _rows_of_ones(counts, columns, width):
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(len(counts), width))
