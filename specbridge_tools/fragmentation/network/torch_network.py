"""The ranker's network in torch, which is trained: see `numpy_network`, the same model, which scores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from specbridge_tools.fragmentation.fragments.batch import CandidateBatch, starts
from specbridge_tools.fragmentation.fragments.sizes import MAX_PIECES, N_ATOM_FEATURES, N_BOND_KINDS
from specbridge_tools.fragmentation.network.numpy_network import (
    MASS_SCALE,
    MOLECULE_SIZE,
    PIECE_SIZE,
)
from specbridge_tools.fragmentation.network.weight_shapes import Floats, Weights
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.match import match_ions
from specbridge_tools.fragmentation.peaks.prepare import N_CONTEXT, N_PEAK_FEATURES, Peaks
from specbridge_tools.fragmentation.peaks.subformula import explained_peaks

# where training starts
_FIRST_LOGITS = (-3.0, -2.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0, -2.0)
_FIRST_FLOOR = -8.0
_PEAK_HIDDEN = 12


class EncodedTensors(NamedTuple):
    """Inputs (F, h) of the fragments' hidden layer, and sums (B, a) over the molecules' atoms."""

    fragments: torch.Tensor
    molecules: torch.Tensor


class TrainableNetwork(nn.Module):
    """The network; the names of its parameters are the names of the weights of `numpy_network`."""

    def __init__(
        self, *, atom_size: int = 32, hidden_size: int = 48, last_size: int = 32, dropout: float = 0.0
    ) -> None:
        """Make a network with random weights.

        Args:
            atom_size: Width of the atoms' vectors.
            hidden_size: Width of the first hidden layer of a fragment.
            last_size: Width of the second.
            dropout: Share of the values that training leaves out of the atoms' vectors and of both hidden layers.
        """
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        both = atom_size + N_ATOM_FEATURES
        self.atom1 = nn.Linear(2 * N_ATOM_FEATURES, atom_size)
        self.atom2 = nn.Linear(2 * atom_size, atom_size)
        self.atom3 = nn.Linear(2 * atom_size, atom_size)
        self.cut = nn.Linear(2 * atom_size + N_BOND_KINDS, atom_size)
        self.piece1 = nn.Linear(atom_size + both + 2, hidden_size)
        self.piece2 = nn.Linear(hidden_size, hidden_size)
        self.molecule = nn.Linear(both + N_CONTEXT, hidden_size)
        self.taken = nn.Parameter(torch.randn(MAX_PIECES + 1, hidden_size) * 0.1)
        self.mass = nn.Linear(3, hidden_size)
        self.hidden = nn.Linear(hidden_size, last_size)
        self.out = nn.Linear(last_size, N_SHIFTS)
        self.metal = nn.Parameter(torch.zeros(2))
        self.floor1 = nn.Linear(N_PEAK_FEATURES + 1, _PEAK_HIDDEN)
        self.floor2 = nn.Linear(_PEAK_HIDDEN, 1)
        self.weight1 = nn.Linear(N_PEAK_FEATURES, _PEAK_HIDDEN)
        self.weight2 = nn.Linear(_PEAK_HIDDEN, 1)
        self.scale = nn.Parameter(torch.tensor(0.0))
        self.formula = nn.Parameter(torch.tensor(1.0))
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor(_FIRST_LOGITS))
            self.floor2.bias.fill_(_FIRST_FLOOR)

    def encode_candidates(self, batch: CandidateBatch) -> EncodedTensors:
        """Compute what does not depend on the spectrum."""
        atoms, both = self._atom_vectors(batch)
        pieces = self._piece_vectors(batch, atoms, both)
        filled = [candidate.sets < len(candidate.members) for candidate in batch.candidates]
        removed = np.concatenate(
            [
                candidate.sets[is_piece] + begin
                for candidate, is_piece, begin in zip(batch.candidates, filled, starts(batch.n_pieces), strict=True)
            ]
        )
        n_removed = np.concatenate([is_piece.sum(axis=1) for is_piece in filled])
        summed = F.embedding_bag(_tensor(removed), pieces, _tensor(starts(n_removed)), mode="sum")  # (F, h)
        relative = _tensor(batch.relative_masses)
        masses = torch.stack([relative, relative**2, _tensor(batch.masses) / MASS_SCALE], 1).float()  # (F, 3)
        fragments = summed + self.taken[_tensor(n_removed)] + self.mass(masses)  # (F, h)
        owner = torch.repeat_interleave(_tensor(batch.n_atoms))
        totals = both.new_zeros(len(batch), both.shape[1]).index_add_(0, owner, both) / MOLECULE_SIZE
        return EncodedTensors(fragments, totals)

    def _atom_vectors(self, batch: CandidateBatch) -> tuple[torch.Tensor, torch.Tensor]:
        given = _tensor(np.concatenate([candidate.atoms for candidate in batch.candidates]))
        bonds = np.concatenate(
            [candidate.bonds + begin for candidate, begin in zip(batch.candidates, starts(batch.n_atoms), strict=True)]
        )
        rows, columns = _tensor(bonds.T.reshape(-1)), _tensor(bonds[:, ::-1].T.reshape(-1))

        def bonded(values: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(values).index_add_(0, rows, values[columns])

        atoms = F.relu(self.atom1(torch.cat([given, bonded(given)], 1)))
        atoms = F.relu(self.atom2(torch.cat([atoms, bonded(atoms)], 1)))
        atoms = self.dropout(atoms + F.relu(self.atom3(torch.cat([atoms, bonded(atoms)], 1))))
        return atoms, torch.cat([atoms, given], 1)

    def _piece_vectors(self, batch: CandidateBatch, atoms: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
        k = int(batch.n_pieces.sum())
        places = list(zip(batch.candidates, starts(batch.n_pieces), starts(batch.n_atoms), strict=True))
        cuts = np.concatenate([candidate.cuts + np.array([piece, atom, atom, 0]) for candidate, piece, atom in places])
        members = np.concatenate(
            [np.argwhere(candidate.members) + np.array([piece, atom]) for candidate, piece, atom in places]
        )  # (.., 2) piece and atom
        piece, stays, goes, kind = _tensor(cuts.T)
        kinds = F.one_hot(kind, N_BOND_KINDS).float()
        cut = F.relu(self.cut(torch.cat([atoms[stays], atoms[goes], kinds], 1)))
        cut_sums = cut.new_zeros(k, cut.shape[1]).index_add_(0, piece, cut)
        n_cuts = torch.bincount(piece, minlength=k)[:, None].float()
        begins = _tensor(np.searchsorted(members[:, 0], np.arange(k)))
        content = F.embedding_bag(_tensor(members[:, 1]), both, begins, mode="sum") / PIECE_SIZE  # (K, a)
        size = content[:, -1:]
        described = torch.cat([cut_sums, content, n_cuts - 1, size * size], 1)
        vectors: torch.Tensor = self.piece2(F.relu(self.piece1(described)))  # (K, h)
        return vectors

    def forward(
        self, batch: CandidateBatch, encoded: EncodedTensors, peaks: Peaks
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Score candidates.

        Args:
            batch: The candidates.
            encoded: The same, by `encode_candidates`.
            peaks: Of one spectrum.

        Returns:
            Scores (B,) and log-likelihoods (B, p) of the peaks.
        """
        n, p = len(batch), len(peaks.mz)
        logits = self.ion_logits(batch, encoded, torch.tensor(peaks.context))
        log_total = self._log_sum_by_candidate(logits, batch)
        fragment, ion, peak = _tensor(match_ions(batch, peaks).T)
        candidate = _tensor(batch.owner)[fragment]
        log_probability = logits[fragment, ion % N_SHIFTS] - log_total[candidate]
        if peaks.kind.metal_mass:
            log_probability = log_probability + self.metal[ion // N_SHIFTS]
        cell = candidate * p + peak
        predicted = torch.zeros(n * p).index_add_(0, cell, torch.exp(log_probability)).view(n, p)
        floor = torch.exp(self._log_floor(explained_peaks(batch.formulas, peaks), peaks))
        log_likelihood = torch.log(predicted + floor) - torch.log1p(floor.sum(1, keepdim=True))
        return log_likelihood @ self._peak_weights(peaks) * torch.exp(self.scale), log_likelihood

    def ion_logits(self, batch: CandidateBatch, encoded: EncodedTensors, context: torch.Tensor) -> torch.Tensor:
        """Logits (F, N_SHIFTS) of all fragment ions under the conditions `Peaks.context`."""
        molecule = self.molecule(torch.cat([encoded.molecules, context.expand(len(batch), -1)], 1))  # (B, h)
        hidden = self.dropout(F.relu(encoded.fragments + molecule[_tensor(batch.owner)]))  # (F, h)
        logits: torch.Tensor = self.out(self.dropout(F.relu(self.hidden(hidden))))  # (F, shifts)
        return logits

    def _log_sum_by_candidate(self, logits: torch.Tensor, batch: CandidateBatch) -> torch.Tensor:
        highest = logits.detach().max()
        sums = torch.zeros(len(batch)).index_add_(0, _tensor(batch.owner), torch.exp(logits - highest).sum(1))
        return sums.log() + highest  # (B,)

    def _log_floor(self, by_formula: NDArray[np.bool_], peaks: Peaks) -> torch.Tensor:
        features = torch.tensor(peaks.features)
        flags = torch.tensor([[0.0], [1.0]])
        inputs = torch.cat([features.expand(2, -1, -1), flags[:, None].expand(2, len(features), 1)], 2)
        floors = self.floor2(F.relu(self.floor1(inputs)))[..., 0] + flags * self.formula  # (2, p)
        return torch.where(torch.tensor(by_formula), floors[1], floors[0])  # (B, p)

    def _peak_weights(self, peaks: Peaks) -> torch.Tensor:
        raw = self.weight2(F.relu(self.weight1(torch.tensor(peaks.features))))[:, 0]
        return F.softplus(raw) * torch.tensor(peaks.weight)  # (p,)

    def weights(self) -> dict[str, Floats]:
        """The parameters as numpy arrays, for `ranker.Ranker`."""
        return {name: value.detach().numpy().copy() for name, value in self.state_dict().items()}

    def set_weights(self, weights: Weights) -> None:
        """Take the parameters of a network of the same widths."""
        shapes = {name: value.shape for name, value in self.state_dict().items()}
        self.load_state_dict({name: torch.tensor(value).reshape(shapes[name]) for name, value in weights.items()})


def _tensor(array: NDArray[Any]) -> torch.Tensor:
    tensor = torch.as_tensor(array.copy() if not array.flags.writeable or array.base is not None else array)
    return tensor.long() if not tensor.is_floating_point() else tensor
