"""Scores for the candidates of one query."""

import dataclasses

import numpy as np

from specbridge_tools.errors import DataError


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """One value a candidate, in the order given.

    fragment_score       (n,) float64, higher is better; NaN where a candidate could not be cut
    explained_intensity  (n,) float64 in [0, 1]: share of the intensity of the peaks below the precursor that fragments
                         explain; NaN where a candidate could not be cut

    Of several spectra they are the means.
    """

    fragment_score: np.ndarray
    explained_intensity: np.ndarray


def score_candidates(ranker, spectra, smiles):
    """`Scores` of candidates, given as SMILES, for the `Peaks` of each of one or more spectra of one compound.

    A spectrum without peaks gives all candidates the same: it counts only where all are without, and then as 0.
    """
    score = np.full(len(smiles), np.nan)
    explained = np.full(len(smiles), np.nan)
    cut, rows = [], []
    for row, text in enumerate(smiles):
        try:
            cut.append(ranker.remembered_candidate(text))
            rows.append(row)
        except DataError:
            continue
    if not rows:
        return Scores(score, explained)
    found = ranker.evidence(cut, [peaks for peaks in spectra if len(peaks.mz)])
    score[rows] = np.mean([one.score for one in found], axis=0) if found else 0.0
    explained[rows] = np.mean([_explained_intensity(one) for one in found], axis=0) if found else 0.0
    return Scores(score, explained)


def _explained_intensity(evidence):
    peaks = evidence.peaks
    intensity = np.where(peaks.at_precursor, 0.0, peaks.intensity)
    return np.where(evidence.predicted > 0, intensity, 0.0).sum(axis=1) / max(intensity.sum(), 1e-300)
