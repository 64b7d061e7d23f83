"""Other rankings of the very candidate lists that are evaluated, most of which know nothing of the spectrum.

What those reach is what a method gets for free; a result is the distance to them.

* `random`: every order of the list is equally likely.
* `spectrum_blind`: the score of a molecule in the lists of *other* molecules' spectra. Scores are taken relative to the
  mean of their list and averaged over the lists of queries whose true molecule is another one; 0 for a molecule that
  is in none. It shows candidates that are favoured whatever the spectrum: a spelling, a source, a hub of the space.
* `mass_only`: the smaller the absolute mass error, the better.
* `cosine`: that of spectrum and molecule alone, where hits are ranked by more. The distance to it is what the rest of
  the evidence gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.evaluation.candidates import CandidateList
from specbridge_tools.hits.expected_rank import NOT_LISTED, TieCounts, tie_counts

# relative scores that differ by rounding alone are equal
_DECIMALS = 9


def random_counts(candidates: CandidateList) -> TieCounts:
    """Counts of the truth under `random`."""
    return TieCounts(0, candidates.size) if candidates.truth_at >= 0 else NOT_LISTED


def score_counts(candidates: CandidateList) -> TieCounts:
    """Counts of the truth under the score of the hits."""
    return _counts(candidates.score, candidates)


def mass_only_counts(candidates: CandidateList) -> TieCounts | None:
    """Counts of the truth under `mass_only`; None where the hits do not show them."""
    errors = candidates.mass_error
    return _counts_of_whole_list(None if errors is None else -errors, candidates)


def cosine_counts(candidates: CandidateList) -> TieCounts | None:
    """Counts of the truth under `cosine`; None where the hits do not show them."""
    return _counts_of_whole_list(candidates.cosine, candidates)


class SpectrumBlindScore:
    """The `spectrum_blind` score, learned from all complete lists."""

    def __init__(self, lists: Sequence[CandidateList]) -> None:
        lists = [candidates for candidates in lists if not candidates.is_cut]
        truths = [candidates.truth.inchikey14 for candidates in lists]
        self._number_of = {key: number for number, key in enumerate(dict.fromkeys(truths))}
        truth = np.array([self._number_of[key] for key in truths], np.int64)
        molecule = _joined([candidates.molecule for candidates in lists], np.int64)
        scores = [candidates.score for candidates in lists if len(candidates.score)]
        relative = _joined([score - score.mean() for score in scores], np.float64)
        self._n_molecules = int(molecule.max(initial=0)) + 1
        self._sum, self._count = _sums(molecule, relative, self._n_molecules)
        # (true molecule, candidate) as one number: what is left out of the sums for queries of that molecule
        pair = np.repeat(truth, [len(candidates.score) for candidates in lists]) * self._n_molecules + molecule
        self._pairs, inverse = np.unique(pair, return_inverse=True)
        self._own_sum, self._own_count = _sums(inverse, relative, len(self._pairs))

    def scores(self, candidates: CandidateList) -> NDArray[np.float64]:
        """(n,) for the candidates of one of the lists."""
        own = self._number_of[candidates.truth.inchikey14] * self._n_molecules + candidates.molecule
        at = np.searchsorted(self._pairs, own)
        count = self._count[candidates.molecule] - self._own_count[at]
        total = self._sum[candidates.molecule] - self._own_sum[at]
        return np.where(count > 0, np.round(total / np.maximum(count, 1), _DECIMALS), 0.0)

    def counts(self, candidates: CandidateList) -> TieCounts | None:
        """Counts of the truth; None where the list is cut."""
        return None if candidates.is_cut else _counts(self.scores(candidates), candidates)


def _counts_of_whole_list(values: NDArray[np.float64] | None, candidates: CandidateList) -> TieCounts | None:
    """Counts under another order than that of the hits; None where the list is cut or lacks the values."""
    if candidates.truth_at < 0 and not candidates.is_cut:
        return NOT_LISTED
    return None if candidates.is_cut or values is None else _counts(values, candidates)


def _counts(score: NDArray[np.float64], candidates: CandidateList) -> TieCounts:
    return tie_counts(score, candidates.truth_at) if candidates.truth_at >= 0 else NOT_LISTED


def _joined(arrays: Sequence[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _sums(
    number: NDArray[np.int64], value: NDArray[np.float64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    total = np.bincount(number, value, minlength=n).astype(np.float64, copy=False)
    return total, np.bincount(number, minlength=n).astype(np.int64, copy=False)
