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
from specbridge_tools.fragmentation.network.layers import cut_sums, fragment_layer
from specbridge_tools.fragmentation.network.weight_shapes import Floats, Weights
from specbridge_tools.fragmentation.peaks.ions import N_SHIFTS
from specbridge_tools.fragmentation.peaks.match import match_ions
from specbridge_tools.fragmentation.peaks.prepare import Peaks
from specbridge_tools.fragmentation.peaks.subformula import explained_peaks

PIECE_SIZE, MOLECULE_SIZE, MASS_SCALE = 8, 25, 500  # the inputs are divided by these


class EncodedCandidate(NamedTuple):
    """What one network makes of a candidate, whatever the spectrum.

    Attributes:
        pieces: (k, h) what a fragment without a piece gains by its absence.
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
    networks: Sequence[Weights], batch: CandidateBatch, encoded: Sequence[Sequence[EncodedCandidate]], peaks: Peaks
) -> SpectrumEvidence:
    """Find the evidence of one spectrum: mean scores and probabilities of networks that were trained separately.

    Args:
        networks: At least one.
        batch: The candidates.
        encoded: Of each network, the candidates as `encode_candidate` encodes them.
        peaks: Of the spectrum.
    """
    matches = match_ions(batch, peaks)
    by_formula = explained_peaks(batch.formulas, peaks)
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
    relative = batch.relative_masses
    masses = np.stack([relative, relative**2, batch.masses / MASS_SCALE], axis=1).astype(np.float32)
    of_mass = np.ascontiguousarray(weights["mass.weight"].T)
    hidden = np.empty((len(masses), of_mass.shape[1]), np.float32)
    stop = 0
    for candidate, vectors in zip(batch.candidates, encoded, strict=True):
        start, stop = stop, stop + len(candidate.masses)
        common = weights["taken"] + (vectors.molecule + of_context)
        fragment_layer(vectors.pieces, candidate.sets, masses[start:stop], of_mass, common, hidden[start:stop])
    hidden = _relu(_linear(weights, "hidden", hidden, batch.n_fragments))
    return _linear(weights, "out", hidden, batch.n_fragments)


def encode_candidate(weights: Weights, candidate: CandidateArrays) -> EncodedCandidate:
    """Compute what does not depend on the spectrum."""
    atoms = _atom_vectors(weights, candidate)
    both = np.concatenate([atoms, candidate.atoms], axis=1)
    total = both.sum(axis=0) / np.float32(MOLECULE_SIZE)
    molecule = weights["molecule.weight"][:, : len(total)] @ total + weights["molecule.bias"] + weights["mass.bias"]
    return EncodedCandidate(_piece_vectors(weights, candidate, atoms, both), molecule)


def _atom_vectors(weights: Weights, candidate: CandidateArrays) -> Floats:
    """Vectors (n, a) of the atoms after three messages."""
    n = len(candidate.atoms)
    bonded = np.zeros((n, n), np.float32)
    first, second = candidate.bonds.T
    bonded[first, second] = bonded[second, first] = 1

    def message(name: str, atoms: Floats) -> Floats:
        return _relu(_linear(weights, name, np.concatenate([atoms, bonded @ atoms], axis=1)))

    atoms = message("atom2", message("atom1", candidate.atoms))
    atoms += message("atom3", atoms)
    return atoms


def _piece_vectors(weights: Weights, candidate: CandidateArrays, atoms: Floats, both: Floats) -> Floats:
    """Vectors (k, h) of the pieces; `both` are the atoms' vectors with their features behind them."""
    # a linear map of the atom that stays, the one that goes and the kind of bond, side by side: each mapped once
    of_staying, of_going, of_kind = np.split(weights["cut.weight"].T, [atoms.shape[1], 2 * atoms.shape[1]])
    k = len(candidate.members)
    staying, going = _product(atoms, of_staying) + weights["cut.bias"], _product(atoms, of_going)
    cut = cut_sums(staying, going, np.ascontiguousarray(of_kind), candidate.cuts, k)
    n_cuts = np.bincount(candidate.cuts[:, 0], minlength=k)
    content = candidate.members.astype(np.float32) @ both / np.float32(PIECE_SIZE)
    size = content[:, -1:]
    described = np.concatenate([cut, content, n_cuts[:, None].astype(np.float32) - 1, size * size], axis=1)
    return _linear(weights, "piece2", _relu(_linear(weights, "piece1", described)))


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
            _relu(
                _linear(weights, "floor1", np.append(peaks.features, np.full((len(peaks.mz), 1), flag, np.float32), 1))
            ),
        )[:, 0]
        + flag * weights["formula"].item()
        for flag in (0, 1)
    )
    return np.where(by_formula, explained, without)


def _peak_weights(weights: Weights, peaks: Peaks) -> Floats:
    """How much each peak (p,) counts."""
    raw = _linear(weights, "weight2", _relu(_linear(weights, "weight1", peaks.features)))[:, 0]
    peak_weights: Floats = np.logaddexp(0, raw) * peaks.weight
    return peak_weights


def _linear(weights: Weights, name: str, inputs: Floats, counts: NDArray[np.int64] | None = None) -> Floats:
    outputs = _product(inputs, weights[f"{name}.weight"].T, counts)
    outputs += weights[f"{name}.bias"]
    return outputs


def _product(rows: Floats, matrix: Floats, counts: NDArray[np.int64] | None = None) -> Floats:
    """Compute rows @ matrix, the rows of each candidate (`counts` of them, None for one) as a product of their own.

    With some kernels of BLAS the last bits of a row depend on the shape of a product and on the row's place in it. This
    way a candidate's numbers are its own, whatever stands beside it in the list. A single row is doubled, since the
    product of a vector goes to other kernels.
    """
    if counts is None and len(rows) > 1:
        whole: Floats = rows @ matrix
        return whole
    product = np.empty((len(rows), matrix.shape[1]), np.float32)
    start = 0
    for stop in [len(rows)] if counts is None else np.cumsum(counts).tolist():
        if stop - start == 1:
            product[start:stop] = (np.repeat(rows[start:stop], 2, axis=0) @ matrix)[:1]
        else:
            np.matmul(rows[start:stop], matrix, out=product[start:stop])
        start = stop
    return product


def _relu(values: Floats) -> Floats:
    return np.maximum(values, 0, out=values)
