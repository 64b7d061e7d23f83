"""The ranker's network in numpy, which scores: how probable it is that a candidate gives a spectrum.

A forward model of fragmentation. `torch_network` is the same model, to be trained; its methods have the names of the
functions here.

1. `encode_candidate`, once for all spectra. Atoms pass three messages along the bonds (`_atom_vectors`). A piece is
   described by the bonds that are cut to remove it, by what stays and what goes at each of them, and by its atoms
   (`_piece_vectors`). A fragment is the sum over the pieces that it lacks, with its mass and their number.
2. `ion_logits`. With the sum over the molecule's atoms, and with how the spectrum was measured, each fragment gets a
   logit for each hydrogen shift. A softmax over all fragment ions of the candidate makes probabilities of them, so that
   ions that are predicted but absent cost as well.
3. The score is the weighted mean logarithm of the probabilities that the peaks receive (`_peak_weights`). Each has a
   floor (`_log_floor`) for peaks that arise in other ways, which is higher where a part of the formula explains the
   peak.

Scoring stays in numpy: on one thread of a CPU, ms a candidate of one network, torch takes 0.60 to encode batches of 20
(numpy 0.44) and 0.51 of 120 (0.40), and 0.25 for the logits (0.21).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.fragmentation.fragments.batch import CandidateArrays, CandidateBatch
from specbridge_tools.fragmentation.network.layers import add_bias, cut_sums, fragment_layer, with_neighbours
from specbridge_tools.fragmentation.network.weight_shapes import Floats, Weights
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.match import match_ions
from specbridge_tools.fragmentation.peaks.prepare import Peaks

PIECE_SIZE, MOLECULE_SIZE, MASS_SCALE = 8, 25, 500  # the inputs are divided by these


class EncodedCandidate(NamedTuple):
    """What one network makes of a candidate, whatever the spectrum.

    Attributes:
        pieces: (k + 1, h) what a fragment without a piece gains by its absence, and 0 without none.
        molecule: (h,) what all its fragments have in common.
    """

    pieces: Floats
    molecule: Floats


@dataclasses.dataclass(frozen=True, eq=False)
class SpectrumEvidence:
    """What the networks find for b candidates and the p peaks of one spectrum, averaged over networks.

    Attributes:
        peaks: The peaks.
        score: (b,) weighted sum of logarithms of probability, higher is better.
        predicted: (b, p) probability that the candidate's fragments put on each peak.
        by_formula: (b, p) whether a part of the candidate's formula explains the peak.
        matches: (m, 3) fragment (of the batch), ion and peak.
        log_probability: (m,) of each match.
    """

    peaks: Peaks
    score: NDArray[np.float64]
    predicted: NDArray[np.float64]
    by_formula: NDArray[np.bool_]
    matches: NDArray[np.int64]
    log_probability: Floats


def weigh_spectrum(
    networks: Sequence[Weights],
    batch: CandidateBatch,
    encoded: Sequence[Sequence[EncodedCandidate]],
    peaks: Peaks,
    by_formula: NDArray[np.bool_],
) -> SpectrumEvidence:
    """Find the evidence of one spectrum: mean scores and probabilities of networks that were trained separately.

    Args:
        networks: At least one.
        batch: The candidates.
        encoded: Of each network, the candidates as `encode_candidate` encodes them.
        peaks: Of the spectrum.
        by_formula: (b, p) as `explained_peaks` finds it.
    """
    matches = match_ions(batch, peaks)
    scores, predicted, log_probability = zip(
        *(
            _weigh_with_one(weights, batch, candidates, peaks, matches, by_formula)
            for weights, candidates in zip(networks, encoded, strict=True)
        ),
        strict=True,
    )
    return SpectrumEvidence(
        peaks,
        sum(scores) / len(networks),
        sum(predicted) / len(networks),
        by_formula,
        matches,
        # as logarithms: a probability may be too small for a float
        np.logaddexp.reduce(log_probability) - math.log(len(networks)),
    )


def _weigh_with_one(
    weights: Weights,
    batch: CandidateBatch,
    encoded: Sequence[EncodedCandidate],
    peaks: Peaks,
    matches: NDArray[np.int64],
    by_formula: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], Floats]:
    """Scores (b,), predicted probabilities (b, p) and log-probabilities of the matches (m,) by one network."""
    n, p = len(batch), len(peaks.mz)
    logits = ion_logits(weights, batch, encoded, peaks.context)
    log_total = _log_sum_by_candidate(logits, batch)
    fragment, ion, peak = matches.T
    candidate = batch.owner[fragment]
    metal_logit = weights["metal"][ion // N_SHIFTS] if peaks.kind.metal_mass else 0.0
    log_probability = logits[fragment, ion % N_SHIFTS] - log_total[candidate] + metal_logit
    cells = np.bincount(candidate * p + peak, np.exp(log_probability), minlength=n * p)
    predicted = np.asarray(cells, np.float64).reshape(n, p)
    floor = np.exp(_log_floor(weights, by_formula, peaks))
    log_likelihood = np.log(predicted + floor) - np.log1p(floor.sum(axis=1, keepdims=True))
    score = (log_likelihood * _peak_weights(weights, peaks)).sum(axis=1) * np.exp(weights["scale"].item())
    return score, predicted, log_probability


def concatenate_evidence(parts: Sequence[SpectrumEvidence], n_fragments: NDArray[np.int64]) -> SpectrumEvidence:
    """The evidence of all candidates from that of parts of them, which have so many fragments each."""
    starts = np.cumsum(n_fragments) - n_fragments
    return SpectrumEvidence(
        parts[0].peaks,
        np.concatenate([part.score for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        np.concatenate([part.by_formula for part in parts]),
        np.concatenate([part.matches + np.array([start, 0, 0]) for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.log_probability for part in parts]),
    )


def ion_logits(weights: Weights, batch: CandidateBatch, encoded: Sequence[EncodedCandidate], context: Floats) -> Floats:
    """Logits (F, N_SHIFTS) of all fragment ions under the conditions `Peaks.context`."""
    of_context = weights["molecule.weight"][:, -len(context) :] @ context
    of_mass = np.ascontiguousarray(weights["mass.weight"].T)
    n_fragments = batch.n_fragments.tolist()
    logits = np.empty((sum(n_fragments), N_SHIFTS), np.float32)
    hidden = np.empty((max(n_fragments), of_mass.shape[1]), np.float32)  # of one candidate: stays in the cache
    stop = 0
    for candidate, vectors, n in zip(batch.candidates, encoded, n_fragments, strict=True):
        start, stop = stop, stop + n
        common = weights["taken"] + (vectors.molecule + of_context)
        fragment_layer(vectors.pieces, candidate.sets, candidate.masses, MASS_SCALE, of_mass, common, hidden[:n])
        _linear(weights, "out", _linear(weights, "hidden", hidden[:n], relu=True), out=logits[start:stop])
    return logits


def encode_candidate(weights: Weights, candidate: CandidateArrays) -> EncodedCandidate:
    """Compute what does not depend on the spectrum."""
    atoms = _atom_vectors(weights, candidate)
    both = np.concatenate([atoms, candidate.atoms], axis=1)
    total = both.sum(axis=0) / np.float32(MOLECULE_SIZE)
    molecule = weights["molecule.weight"][:, : len(total)] @ total + weights["molecule.bias"] + weights["mass.bias"]
    return EncodedCandidate(_piece_vectors(weights, candidate, atoms, both), molecule)


def _atom_vectors(weights: Weights, candidate: CandidateArrays) -> Floats:
    """Vectors (n, a) of the atoms after three messages."""

    def message(name: str, atoms: Floats) -> Floats:
        return _linear(weights, name, with_neighbours(atoms, candidate.bonds), relu=True)

    atoms = message("atom2", message("atom1", candidate.atoms))
    atoms += message("atom3", atoms)
    return atoms


def _piece_vectors(weights: Weights, candidate: CandidateArrays, atoms: Floats, both: Floats) -> Floats:
    """Vectors (k + 1, h) of the pieces and of none; `both` are the atoms' vectors with their features behind them."""
    # a linear map of the atom that stays, the one that goes and the kind of bond, side by side: each mapped once
    width, of_cut = atoms.shape[1], weights["cut.weight"].T
    staying, going = _product(atoms, of_cut[:width]), _product(atoms, of_cut[width : 2 * width])
    of_kind = np.ascontiguousarray(of_cut[2 * width :]) + weights["cut.bias"]
    described = np.zeros((len(candidate.members), width + both.shape[1] + 2), np.float32)
    cut_sums(staying, going, of_kind, candidate.cuts, described)
    content, others = described[:, width:-2], described[:, -2:]
    np.divide(candidate.members.astype(np.float32) @ both, np.float32(PIECE_SIZE), out=content)
    others[:, 0] = np.bincount(candidate.cuts[:, 0], minlength=len(others)) - 1
    others[:, 1] = np.square(content[:, -1])
    hidden = _linear(weights, "piece1", described, relu=True)
    vectors = np.zeros((len(hidden) + 1, hidden.shape[1]), np.float32)
    _linear(weights, "piece2", hidden, out=vectors[:-1])
    return vectors


def _log_sum_by_candidate(logits: Floats, batch: CandidateBatch) -> Floats:
    """Logarithm (b,) of the sum of exp over all ions of each candidate."""
    begins = batch.intact * logits.shape[1]
    highest = np.maximum.reduceat(logits.ravel(), begins)
    shifted = logits - np.repeat(highest, batch.n_fragments)[:, None]
    log_sum: Floats = np.log(np.add.reduceat(np.exp(shifted, out=shifted).ravel(), begins)) + highest
    return log_sum


def _log_floor(weights: Weights, by_formula: NDArray[np.bool_], peaks: Peaks) -> Floats:
    """Logarithm (b, p) of the probability that a peak has without any fragment."""
    without, explained = (
        _linear(
            weights,
            "floor2",
            _linear(
                weights,
                "floor1",
                np.append(peaks.features, np.full((len(peaks.mz), 1), flag, np.float32), 1),
                relu=True,
            ),
        )[:, 0]
        + flag * weights["formula"].item()
        for flag in (0, 1)
    )
    return np.where(by_formula, explained, without)


def _peak_weights(weights: Weights, peaks: Peaks) -> Floats:
    """How much each peak (p,) counts."""
    raw = _linear(weights, "weight2", _linear(weights, "weight1", peaks.features, relu=True))[:, 0]
    peak_weights: Floats = np.logaddexp(0, raw) * peaks.weight
    return peak_weights


def _linear(weights: Weights, name: str, inputs: Floats, *, relu: bool = False, out: Floats | None = None) -> Floats:
    outputs = _product(inputs, weights[f"{name}.weight"].T, out)
    add_bias(outputs, weights[f"{name}.bias"], relu)
    return outputs


def _product(rows: Floats, matrix: Floats, out: Floats | None = None) -> Floats:
    """Compute rows @ matrix; the rows are those of one candidate.

    With some kernels of BLAS the last bits of a row depend on the shape of a product and on the row's place in it. This
    way a candidate's numbers are its own, whatever stands beside it in the list. A single row is doubled, since the
    product of a vector goes to other kernels.
    """
    if len(rows) == 1:
        one: Floats = (np.repeat(rows, 2, axis=0) @ matrix)[:1]
        if out is None:
            return one
        out[:] = one
        return out
    product: Floats = np.matmul(rows, matrix, out=out)
    return product
