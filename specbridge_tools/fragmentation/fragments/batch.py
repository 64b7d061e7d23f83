"""Candidates of one query side by side, as the arrays that the ranker works on."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from specbridge_tools.fragmentation.fragments.atom_features import N_ELEMENTS, bond_kinds
from specbridge_tools.fragmentation.fragments.fragmenter import Fragments


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateArrays:
    """One candidate; n atoms, m bonds, k pieces, c cuts, f fragments.

    Attributes:
        atoms: (n, N_ATOM_FEATURES).
        bonds: (m, 2).
        members: (k, n) which atoms the pieces have.
        cuts: (c, 4) piece, atom that stays, atom that goes, kind of the bond.
        sets: (f, MAX_PIECES) the pieces that each fragment lacks, then k as a filler.
        masses: (f,) Da; the first is that of the candidate itself.
        hydrogens: (f,).
        formula: (N_ELEMENTS + 1,) atoms by element, then hydrogens.
    """

    atoms: NDArray[np.float32]
    bonds: NDArray[np.int64]
    members: NDArray[np.bool_]
    cuts: NDArray[np.int64]
    sets: NDArray[np.int32]
    masses: NDArray[np.float64]
    hydrogens: NDArray[np.int64]
    formula: NDArray[np.int64]


def candidate_arrays(fragments: Fragments) -> CandidateArrays:
    """The arrays of one candidate."""
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
    """B candidates concatenated; the numbers of atoms, pieces and fragments run through.

    Attributes:
        atoms: (N, N_ATOM_FEATURES).
        bonds: (M, 2).
        members: (K, N) sparse rows of float32 ones: the atoms of each piece.
        cuts: (C, 4).
        sets: (F, K) sparse rows of float32 ones: the pieces that each fragment lacks.
        masses: (F,) Da.
        hydrogens: (F,).
        formulas: (B, N_ELEMENTS + 1).
        n_atoms: (B,).
        n_pieces: (B,).
        n_fragments: (B,).
    """

    atoms: NDArray[np.float32]
    bonds: NDArray[np.int64]
    members: sparse.csr_matrix
    cuts: NDArray[np.int64]
    sets: sparse.csr_matrix
    masses: NDArray[np.float64]
    hydrogens: NDArray[np.int64]
    formulas: NDArray[np.int64]
    n_atoms: NDArray[np.int64]
    n_pieces: NDArray[np.int64]
    n_fragments: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.n_fragments)

    @functools.cached_property
    def owner(self) -> NDArray[np.int64]:
        """The candidate (F,) of each fragment."""
        return np.repeat(np.arange(len(self)), self.n_fragments)

    @functools.cached_property
    def intact(self) -> NDArray[np.int64]:
        """The fragment (B,) that is each candidate itself."""
        return _starts(self.n_fragments)


def batch_candidates(candidates: Sequence[CandidateArrays]) -> CandidateBatch:
    """Concatenate at least one candidate."""
    n_atoms = np.array([len(candidate.atoms) for candidate in candidates])
    n_pieces = np.array([len(candidate.members) for candidate in candidates])
    n_fragments = np.array([len(candidate.masses) for candidate in candidates])
    atom_start, piece_start = _starts(n_atoms), _starts(n_pieces)
    bonds = [candidate.bonds + start for candidate, start in zip(candidates, atom_start, strict=True)]
    cuts = [
        candidate.cuts + np.array([piece, atom, atom, 0])
        for candidate, piece, atom in zip(candidates, piece_start, atom_start, strict=True)
    ]
    sets = np.concatenate([candidate.sets for candidate in candidates])
    owner = np.repeat(np.arange(len(candidates)), n_fragments)
    is_piece = sets < n_pieces[owner, None]
    return CandidateBatch(
        np.concatenate([candidate.atoms for candidate in candidates]),
        np.concatenate(bonds),
        _member_matrix(candidates, atom_start, n_atoms),
        np.concatenate(cuts),
        _rows_of_ones(is_piece.sum(axis=1), (sets + piece_start[owner, None])[is_piece], n_pieces.sum()),
        np.concatenate([candidate.masses for candidate in candidates]),
        np.concatenate([candidate.hydrogens for candidate in candidates]),
        np.stack([candidate.formula for candidate in candidates]),
        n_atoms,
        n_pieces,
        n_fragments,
    )


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    starts: NDArray[np.int64] = np.cumsum(counts) - counts
    return starts


def _member_matrix(
    candidates: Sequence[CandidateArrays], atom_start: NDArray[np.int64], n_atoms: NDArray[np.int64]
) -> sparse.csr_matrix:
    counts = np.concatenate([np.count_nonzero(candidate.members, axis=1) for candidate in candidates])
    columns = [
        np.flatnonzero(candidate.members) % len(candidate.atoms) + start
        for candidate, start in zip(candidates, atom_start, strict=True)
    ]
    return _rows_of_ones(counts, np.concatenate(columns), n_atoms.sum())


def _rows_of_ones(counts: NDArray[np.int64], columns: NDArray[np.int64], width: int) -> sparse.csr_matrix:
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(len(counts), width))
