"""Scores for the candidates of one spectrum, from SMILES to fused scores."""

import dataclasses

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.peaks import Peaks


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """One value a candidate, in the order given.

    fragment_score       (n,) float64, higher is better; NaN where a candidate could not be cut
    explained_intensity  (n,) float64 in [0, 1]: share of the intensity of the peaks below the precursor that fragments
                         explain; NaN where a candidate could not be cut
    """

    fragment_score: np.ndarray
    explained_intensity: np.ndarray


def score_candidates(ranker, peaks: Peaks, smiles):
    """`Scores` of candidates, given as SMILES, for the peaks of one spectrum. No peaks: all candidates score 0."""
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
    if not len(peaks.mz):
        score[rows], explained[rows] = 0.0, 0.0
        return Scores(score, explained)
    evidence, _ = ranker.evidence(cut, peaks)
    score[rows] = evidence.score
    intensity = np.where(peaks.at_precursor, 0.0, peaks.intensity)
    explained[rows] = (evidence.predicted > 0) @ intensity / max(intensity.sum(), 1e-300)
    return Scores(score, explained)


def fuse(ranker, cosine, fragment_score):
    """(n,) scores that rank, from cosines (n,) and fragment scores (n,), NaN where there is none.

    A candidate without a fragment score is given the lowest of the others: nothing speaks for it but its cosine.
    """
    known = fragment_score[~np.isnan(fragment_score)]
    lowest = known.min() if len(known) else 0.0
    return ranker.fuse(cosine, np.where(np.isnan(fragment_score), lowest, fragment_score))
