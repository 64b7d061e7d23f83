"""Candidates of one query side by side, as the arrays that the ranker works on."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.fragments.atom_features import bond_kinds
from specbridge_tools.fragmentation.fragments.fragmenter import Fragments
from specbridge_tools.fragmentation.fragments.sizes import N_ELEMENTS


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
        by_mass: (f,) the fragments by their masses.
        hydrogens: (f,).
        formula: (N_ELEMENTS + 1,) atoms by element, then hydrogens.
    """

    atoms: NDArray[np.float32]
    bonds: NDArray[np.int64]
    members: NDArray[np.bool_]
    cuts: NDArray[np.int64]
    sets: NDArray[np.int32]
    masses: NDArray[np.float64]
    by_mass: NDArray[np.int64]
    hydrogens: NDArray[np.int64]
    formula: NDArray[np.int64]


def candidate_arrays(fragments: Fragments) -> CandidateArrays:
    """The arrays of one candidate."""
    graph = fragments.graph
    piece, bond, going = fragments.cuts.T
    cuts = np.empty((len(piece), 4), np.int64)
    cuts[:, 0], cuts[:, 3] = piece, bond_kinds(graph)[bond]
    cuts[:, 1], cuts[:, 2] = graph.bonds[bond, 1 - going], graph.bonds[bond, going]
    formula = np.empty(N_ELEMENTS + 1, np.int64)
    formula[:-1], formula[-1] = fragments.features[:, :N_ELEMENTS].sum(axis=0), graph.hydrogens.sum()
    return CandidateArrays(
        fragments.features,
        graph.bonds,
        fragments.piece_atoms,
        cuts,
        fragments.sets,
        fragments.masses,
        np.argsort(fragments.masses),
        fragments.hydrogens,
        formula,
    )


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateBatch:
    """B candidates side by side; the numbers of their atoms, pieces and fragments run through."""

    candidates: Sequence[CandidateArrays]

    def __len__(self) -> int:
        return len(self.candidates)

    @functools.cached_property
    def n_atoms(self) -> NDArray[np.int64]:
        """(B,)."""
        return np.array([len(candidate.atoms) for candidate in self.candidates])

    @functools.cached_property
    def n_pieces(self) -> NDArray[np.int64]:
        """(B,)."""
        return np.array([len(candidate.members) for candidate in self.candidates])

    @functools.cached_property
    def n_fragments(self) -> NDArray[np.int64]:
        """(B,)."""
        return np.array([len(candidate.masses) for candidate in self.candidates])

    @functools.cached_property
    def owner(self) -> NDArray[np.int64]:
        """The candidate (F,) of each fragment."""
        return np.repeat(np.arange(len(self)), self.n_fragments)

    @functools.cached_property
    def intact(self) -> NDArray[np.int64]:
        """The fragment (B,) that is each candidate itself."""
        return starts(self.n_fragments)

    @functools.cached_property
    def masses(self) -> NDArray[np.float64]:
        """(F,) Da."""
        return np.concatenate([candidate.masses for candidate in self.candidates])

    @functools.cached_property
    def by_mass(self) -> NDArray[np.int64]:
        """(F,) the fragments of each candidate by their masses."""
        return np.concatenate([candidate.by_mass for candidate in self.candidates]) + self.intact[self.owner]

    @functools.cached_property
    def hydrogens(self) -> NDArray[np.int64]:
        """(F,)."""
        return np.concatenate([candidate.hydrogens for candidate in self.candidates])

    @functools.cached_property
    def formulas(self) -> NDArray[np.int64]:
        """(B, N_ELEMENTS + 1)."""
        return np.stack([candidate.formula for candidate in self.candidates])

    @functools.cached_property
    def relative_masses(self) -> NDArray[np.float64]:
        """Masses (F,) as shares of the candidate's."""
        return self.masses / self.masses[self.intact][self.owner]


def starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of so many consecutive runs begins."""
    begins: NDArray[np.int64] = np.cumsum(counts) - counts
    return begins
