"""The ranker's network in torch, to be trained; `network` is the same in numpy and the one that is used."""

import torch
import torch.nn.functional as F
from torch import nn

from specbridge_tools.fragmentation.fragments.atom_features import N_ATOM_FEATURES, N_BOND_KINDS
from specbridge_tools.fragmentation.fragments.combine import MAX_PIECES
from specbridge_tools.fragmentation.network.numpy_network import MASS_SCALE, MOLECULE_SIZE, PIECE_SIZE
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.match import match_ions
from specbridge_tools.fragmentation.peaks.prepare import ENERGY, N_CONTEXT, N_PEAK_FEATURES, NO_ENERGY
from specbridge_tools.fragmentation.peaks.subformula import explained_peaks

_FIRST_LOGITS = (-3.0, -2.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0, -2.0)
_FIRST_FLOOR = -8.0
_PEAK_HIDDEN = 12


class TrainableNetwork(nn.Module):
    """See `network`; the names of the parameters are the names of its weights.

    atom_size, hidden_size, last_size: widths of the atoms' vectors and of the two hidden layers of a fragment; dropout:
    share of the values that training leaves out of the atoms' vectors and of both hidden layers.
    """

    def __init__(self, *, atom_size=32, hidden_size=48, last_size=32, dropout=0.0):
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

    def encode(self, batch):
        """`CandidateBatch` -> input of the hidden layer (F, h), sums over atoms (B, a)."""
        atoms, both = self._atoms(batch)
        pieces = self._pieces(batch, atoms, both)
        sets = _tensor(batch.sets.indices), _tensor(batch.sets.indptr)
        summed = F.embedding_bag(sets[0], pieces, sets[1][:-1], mode="sum")  # (F, h)
        relative = _tensor(batch.masses / batch.masses[batch.intact][batch.owner])
        masses = torch.stack([relative, relative**2, _tensor(batch.masses) / MASS_SCALE], 1).float()  # (F, 3)
        before = summed + self.taken[sets[1].diff()] + self.mass(masses)  # (F, h)
        owner = torch.repeat_interleave(_tensor(batch.n_atoms))
        totals = both.new_zeros(len(batch), both.shape[1]).index_add_(0, owner, both) / MOLECULE_SIZE
        return before, totals

    def _atoms(self, batch):
        given = _tensor(batch.atoms)
        rows = _tensor(batch.bonds.T.reshape(-1))
        columns = _tensor(batch.bonds[:, ::-1].T.reshape(-1))

        def bonded(values):
            return torch.zeros_like(values).index_add_(0, rows, values[columns])

        atoms = F.relu(self.atom1(torch.cat([given, bonded(given)], 1)))
        atoms = F.relu(self.atom2(torch.cat([atoms, bonded(atoms)], 1)))
        atoms = self.dropout(atoms + F.relu(self.atom3(torch.cat([atoms, bonded(atoms)], 1))))
        return atoms, torch.cat([atoms, given], 1)

    def _pieces(self, batch, atoms, both):
        k = batch.members.shape[0]
        piece, stays, goes, kind = _tensor(batch.cuts.T)
        kinds = F.one_hot(kind, N_BOND_KINDS).float()
        cut = F.relu(self.cut(torch.cat([atoms[stays], atoms[goes], kinds], 1)))
        cuts = cut.new_zeros(k, cut.shape[1]).index_add_(0, piece, cut)
        n_cuts = torch.bincount(piece, minlength=k)[:, None].float()
        members = _tensor(batch.members.indices), _tensor(batch.members.indptr)
        content = F.embedding_bag(members[0], both, members[1][:-1], mode="sum") / PIECE_SIZE  # (K, a)
        size = content[:, -1:]
        return self.piece2(F.relu(self.piece1(torch.cat([cuts, content, n_cuts - 1, size * size], 1))))

    def forward(self, batch, encoded, peaks, *, hide_energy=False):
        """Scores (B,) of the candidates for a spectrum, and log-likelihoods (B, p) of its peaks."""
        before, totals = encoded
        n, p = len(batch), len(peaks.mz)
        context = torch.tensor(peaks.context)
        if hide_energy:
            context[ENERGY], context[NO_ENERGY] = 0.0, 1.0
        molecule = self.molecule(torch.cat([totals, context.expand(n, -1)], 1))  # (B, h)
        owner = _tensor(batch.owner)
        hidden = self.dropout(F.relu(before + molecule[owner]))  # (F, h)
        logits = self.out(self.dropout(F.relu(self.hidden(hidden))))  # (F, shifts)
        highest = logits.detach().max()
        total = torch.zeros(n).index_add_(0, owner, torch.exp(logits - highest).sum(1)).log() + highest  # (B,)
        fragment, ion, peak = _tensor(match_ions(batch, peaks).T)
        candidate = owner[fragment]
        log_probability = logits[fragment, ion % N_SHIFTS] - total[candidate]
        if peaks.kind.metal_mass:
            log_probability = log_probability + self.metal[ion // N_SHIFTS]
        cell = candidate * p + peak
        predicted = torch.zeros(n * p).index_add_(0, cell, torch.exp(log_probability)).view(n, p)
        floor = torch.exp(self._floor(torch.tensor(explained_peaks(batch.formulas, peaks)), peaks))
        log_likelihood = torch.log(predicted + floor) - torch.log1p(floor.sum(1, keepdim=True))
        features = torch.tensor(peaks.features)
        weight = F.softplus(self.weight2(F.relu(self.weight1(features)))[:, 0]) * torch.tensor(peaks.weight)
        return log_likelihood @ weight * torch.exp(self.scale), log_likelihood

    def _floor(self, by_formula, peaks):
        features = torch.tensor(peaks.features)
        flags = torch.tensor([[0.0], [1.0]])
        inputs = torch.cat([features.expand(2, -1, -1), flags[:, None].expand(2, len(features), 1)], 2)
        floors = self.floor2(F.relu(self.floor1(inputs)))[..., 0] + flags * self.formula  # (2, p)
        return torch.where(by_formula, floors[1], floors[0])

    def weights(self):
        """The parameters as numpy arrays, for `ranker.Ranker`."""
        return {name: value.detach().numpy().copy() for name, value in self.state_dict().items()}


def _tensor(array):
    tensor = torch.as_tensor(array.copy() if not array.flags.writeable or array.base is not None else array)
    return tensor.long() if not tensor.is_floating_point() else tensor
