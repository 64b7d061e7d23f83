"""The ranker's network, in numpy: how probable it is that a candidate gives this spectrum.

A forward model of fragmentation. Atoms pass three messages along the bonds; a piece is described by the bonds that
are cut to take it off, by what stays and goes at each of them, and by its atoms; a fragment by the sum over the pieces
taken off, by the molecule and by how the spectrum was made. Out comes a logit for each hydrogen shift. A softmax over
all fragment ions of the candidate makes them probabilities, so that what is predicted but absent costs as well. The
score is the weighted mean logarithm of the probabilities that the peaks receive, each with a floor for peaks that
arise in other ways, which is higher where a part of the formula explains the peak.
"""

import dataclasses
import math

import numpy as np
from scipy import sparse

from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.match import match_ions
from specbridge_tools.fragmentation.peaks.prepare import Peaks
from specbridge_tools.fragmentation.peaks.subformula import explained_peaks

PIECE_SIZE, MOLECULE_SIZE, MASS_SCALE = 8, 25, 500  # the inputs are divided by these


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """What one or more networks found for b candidates and the p peaks of one spectrum, on average.

    peaks       the `Peaks`
    score       (b,) float64: weighted sum of logarithms of probability, higher is better
    predicted   (b, p) float32: probability that the candidate's fragments put on each peak
    by_formula  (b, p) bool: a part of the candidate's formula explains the peak
    matches     (m, 3) int64: fragment (of the batch), ion and peak
    log_probability  (m,) float32 of each match
    """

    peaks: Peaks
    score: np.ndarray
    predicted: np.ndarray
    by_formula: np.ndarray
    matches: np.ndarray
    log_probability: np.ndarray


def evaluate(networks, batch, encoded, peaks):
    """`Evidence` of one spectrum: the means of scores and probabilities over networks that were trained apart.

    networks: at least one dict of float32 arrays; encoded: what `encode(weights, batch)` gave for each of them.
    """
    matches = match_ions(batch, peaks)
    by_formula = explained_peaks(batch.formulas, peaks)
    found = [
        _evaluated(weights, batch, one, peaks, matches, by_formula)
        for weights, one in zip(networks, encoded, strict=True)
    ]
    scores, predicted, log_probability = zip(*found, strict=True)
    return Evidence(
        peaks,
        sum(scores) / len(found),
        sum(predicted) / len(found),
        by_formula,
        matches,
        # as logarithms: a probability may be too small for a float
        np.logaddexp.reduce(log_probability) - math.log(len(found)),
    )


def _evaluated(weights, batch, encoded, peaks, matches, by_formula):
    """(score (b,), predicted (b, p), logarithm of the probability of each match (m,)) by one network."""
    n, p = len(batch), len(peaks.mz)
    logits = ion_logits(weights, batch, encoded, peaks.context)
    log_total = _log_sum_by_candidate(logits, batch)
    fragment, ion, peak = matches.T
    candidate = batch.owner[fragment]
    carrier = weights["metal"][ion // N_SHIFTS] if peaks.kind.metal_mass else 0.0
    log_probability = logits[fragment, ion % N_SHIFTS] - log_total[candidate] + carrier
    predicted = np.bincount(candidate * p + peak, np.exp(log_probability), minlength=n * p).reshape(n, p)
    floor = np.exp(_floor(weights, by_formula, peaks))
    log_likelihood = np.log(predicted + floor) - np.log1p(floor.sum(axis=1, keepdims=True))
    score = (log_likelihood * _peak_weights(weights, peaks)).sum(axis=1) * np.exp(weights["scale"].item())
    return score, predicted, log_probability


def concatenated(parts, n_fragments):
    """One `Evidence` from those of parts of the candidates, which have so many fragments."""
    starts = np.cumsum(n_fragments) - n_fragments
    return Evidence(
        parts[0].peaks,
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        np.concatenate([part.by_formula for part in parts]),
        np.concatenate([part.matches + np.array([start, 0, 0]) for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.log_probability for part in parts]),
    )


def ion_logits(weights, batch, encoded, context):
    """(F, N_SHIFTS) logits of all fragment ions under the conditions `Peaks.context`."""
    before, totals = encoded
    context = np.concatenate([totals, np.broadcast_to(context, (len(batch), len(context)))], axis=1)
    molecule = _linear(weights, "molecule", context, np.ones(len(batch), int))
    hidden = _relu(before + np.repeat(molecule, batch.n_fragments, axis=0))
    hidden = _relu(_linear(weights, "hidden", hidden, batch.n_fragments))
    return _linear(weights, "out", hidden, batch.n_fragments)


def encode(weights, batch):
    """What does not depend on the spectrum: input to the hidden layer (F, h), sums over the molecules' atoms (B, a)."""
    atoms = _atoms(weights, batch)
    both = np.concatenate([atoms, batch.atoms], axis=1)
    piece = _pieces(weights, batch, atoms, both)
    n_taken = np.diff(batch.sets.indptr)
    before = batch.sets @ piece
    relative = batch.masses / batch.masses[batch.intact][batch.owner]
    masses = np.stack([relative, relative**2, batch.masses / MASS_SCALE], axis=1).astype(np.float32)
    number = np.eye(len(weights["taken"]), dtype=np.float32)[n_taken]
    of_both = np.concatenate([weights["mass.weight"].T, weights["taken"] + weights["mass.bias"]])
    before += _product(np.concatenate([masses, number], axis=1), of_both, batch.n_fragments)
    return before, np.add.reduceat(both, np.cumsum(batch.n_atoms) - batch.n_atoms) / np.float32(MOLECULE_SIZE)


def _atoms(weights, batch):
    n = len(batch.atoms)
    rows = np.concatenate([batch.bonds[:, 0], batch.bonds[:, 1]])
    columns = np.concatenate([batch.bonds[:, 1], batch.bonds[:, 0]])
    bonded = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(n, n))

    def passed(name, atoms):
        return _relu(_linear(weights, name, np.concatenate([atoms, bonded @ atoms], axis=1), batch.n_atoms))

    atoms = passed("atom2", passed("atom1", batch.atoms))
    return atoms + passed("atom3", atoms)


def _pieces(weights, batch, atoms, both):
    k = batch.members.shape[0]
    piece, stays, goes, kind = batch.cuts.T
    # a linear map of the atom that stays, the one that goes and the kind of bond, side by side: each mapped once
    of_staying, of_going, of_kind = np.split(weights["cut.weight"].T, [atoms.shape[1], 2 * atoms.shape[1]])
    cut = (_product(atoms, of_staying, batch.n_atoms) + weights["cut.bias"])[stays]
    cut += _product(atoms, of_going, batch.n_atoms)[goes]
    cut += of_kind[kind]
    cut = _relu(cut)
    of_piece = sparse.csr_matrix(
        (np.ones(len(piece), np.float32), (piece, np.arange(len(piece)))), shape=(k, len(piece))
    )
    n_cuts = np.bincount(piece, minlength=k)[:, None].astype(np.float32)
    content = batch.members @ both / np.float32(PIECE_SIZE)
    size = content[:, -1:]
    described = np.concatenate([of_piece @ cut, content, n_cuts - 1, size * size], axis=1)
    described = _relu(_linear(weights, "piece1", described, batch.n_pieces))
    return _linear(weights, "piece2", described, batch.n_pieces)


def _log_sum_by_candidate(logits, batch):
    """(b,) logarithm of the sum of exp over all ions of each candidate."""
    highest = np.maximum.reduceat(logits.max(axis=1), batch.intact)
    sums = np.exp(logits - highest[batch.owner, None]).sum(axis=1)
    return np.log(np.add.reduceat(sums, batch.intact)) + highest


def _floor(weights, by_formula, peaks):
    """(b, p): logarithm of the probability that a peak has without any fragment."""
    with_or_without = [
        _linear(
            weights,
            "floor2",
            _relu(
                _linear(weights, "floor1", np.append(peaks.features, np.full((len(peaks.mz), 1), flag, np.float32), 1))
            ),
        )[:, 0]
        + flag * weights["formula"].item()
        for flag in (0, 1)
    ]
    return np.where(by_formula, with_or_without[1], with_or_without[0])


def _peak_weights(weights, peaks):
    raw = _linear(weights, "weight2", _relu(_linear(weights, "weight1", peaks.features)))[:, 0]
    return np.logaddexp(0, raw) * peaks.weight


def _linear(weights, name, inputs, counts=None):
    outputs = _product(inputs, weights[f"{name}.weight"].T, [len(inputs)] if counts is None else counts)
    outputs += weights[f"{name}.bias"]
    return outputs


def _product(rows, matrix, counts):
    """rows @ matrix, the rows of each candidate (so many) as a product of their own.

    The last bits of a row depend on the shape of a product and on the row's place in it, with some kernels of BLAS. So
    a candidate's numbers are its own, whatever stands beside it in the list. A single row is doubled, since a product
    of a vector goes to other kernels.
    """
    out = np.empty((len(rows), matrix.shape[1]), np.float32)
    start = 0
    for stop in np.cumsum(counts).tolist():
        part = rows[start:stop]
        out[start:stop] = (np.repeat(part, 2, axis=0) @ matrix)[:1] if stop - start == 1 else part @ matrix
        start = stop
    return out


def _relu(values):
    return np.maximum(values, 0, out=values)
