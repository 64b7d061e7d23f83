"""Whether the spelling of candidates, as their source writes them, tells the truth apart from its decoys.

Results have been published that rested on it: truths written by one program, decoys by another, and a model that reads
strings. Models that see only characters (`evaluation.spelling`) rank the same lists; they are fitted to the lists of
half of the molecules and applied to those of the other half, and the other way round:

* `spelling_as_given`: by the n-grams of the strings as given.
* `spelling_canonical`: by those of the canonical strings. This is what the molecules themselves reveal, since truths
  are seldom drawn like decoys; what is reached beyond it, `spelling_excess`, is spelling.
* `spelling_marks`: by the marks in which a string differs from its canonical form. They are the same for every molecule
  that is written alike, and show hardly anything of the molecule.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.evaluation.bootstrap import RESAMPLES, Estimate, bootstrapped_means
from specbridge_tools.evaluation.evaluate import Metric
from specbridge_tools.evaluation.spelling import SparseMatrix, Spelling, SpellingModel, mark_matrix, ngram_matrix
from specbridge_tools.hits.expected_rank import expected_recall, tie_counts

SUBSET = "audit"
LEAST_MOLECULES = 10
# how far above 0 the lower end of the 95 % interval of the excess must lie
_EXCESS_ABOVE = 0.02
# how far above chance that of the marks must lie, as a share of the way from chance to 1
_MARKS_ABOVE = 0.2
_DECIMALS = 9
_RANKINGS = ("spelling_as_given", "spelling_canonical", "spelling_marks", "random", "spelling_excess")


@dataclasses.dataclass(frozen=True)
class AuditList:
    """The candidates of one molecule's list, each once.

    Attributes:
        molecule: First InChIKey block of the truth.
        as_given: For each candidate, all strings that stand for it in the list.
        canonical: For each candidate, its canonical SMILES.
        truth_at: Position of the truth.
    """

    molecule: str
    as_given: list[list[str]]
    canonical: list[str]
    truth_at: int


def audit(lists: Iterable[AuditList], *, resamples: int = RESAMPLES, seed: int = 0) -> list[Metric]:
    """Recall@1 of the three models and of chance, with 95 % intervals over molecules, and the alarm.

    Args:
        lists: One a molecule.
        resamples: Of the bootstrap.
        seed: Of the bootstrap, the halves and the fits.

    Returns:
        Metrics of the subset `audit`. The last one, `alarm`, is 1 where the interval of the excess lies above 0.02, or
        that of the marks a fifth of the way from chance to 1; else 0. All are nan for fewer than 10 molecules, of which
        nothing can be said.
    """
    lists = [candidates for candidates in lists if len(candidates.as_given) > 1]
    size = (len(lists), len(lists))
    if len(lists) < LEAST_MOLECULES:
        note = f"needs {LEAST_MOLECULES} molecules whose lists hold them and a decoy, found {len(lists)}"
        unknown = (math.nan,) * 3
        rows = [Metric(SUBSET, name, "recall@1", "molecules", *unknown, *size, note) for name in _RANKINGS]
        return [*rows, Metric(SUBSET, "spelling", "alarm", "lists", *unknown, *size, note)]
    positions = [candidates.truth_at for candidates in lists]
    as_given = _cross_fitted([candidates.as_given for candidates in lists], positions, ngram_matrix, seed)
    one_string_each = [[[smiles] for smiles in candidates.canonical] for candidates in lists]
    canonical = _cross_fitted(one_string_each, positions, ngram_matrix, seed)
    marks = _cross_fitted([_with_canonical(candidates) for candidates in lists], positions, mark_matrix, seed)
    chance = np.array([1 / len(candidates.as_given) for candidates in lists])
    values = np.stack([as_given, canonical, marks, chance, as_given - canonical], axis=1)
    molecules = [candidates.molecule for candidates in lists]
    _, estimates = bootstrapped_means(values, molecules, resamples=resamples, seed=seed)
    rows = [
        Metric(SUBSET, name, "recall@1", "molecules", estimate.value, estimate.low, estimate.high, *size)
        for name, estimate in zip(_RANKINGS, estimates, strict=True)
    ]
    return [*rows, _alarm(estimates, size)]


def _alarm(estimates: Sequence[Estimate], size: tuple[int, int]) -> Metric:
    as_given, canonical, marks, chance, excess = estimates
    is_alarm = excess.low > _EXCESS_ABOVE or marks.low > chance.value + _MARKS_ABOVE * (1 - chance.value)
    shares = f"{as_given.value:.1%} of truths as they are given, {canonical.value:.1%} in canonical form"
    others = f"{marks.value:.1%} by marks of spelling, chance {chance.value:.1%}"
    if is_alarm:
        note = f"ALARM: the spelling of SMILES gives truths away: letters alone identify {shares} ({others})"
    else:
        note = f"spelling gives nothing away: letters alone identify {shares} ({others})"
    return Metric(SUBSET, "spelling", "alarm", "lists", float(is_alarm), math.nan, math.nan, *size, note)


def _with_canonical(candidates: AuditList) -> list[list[tuple[str, str]]]:
    """For each candidate its (string, canonical SMILES) pairs."""
    pairs = zip(candidates.as_given, candidates.canonical, strict=True)
    return [[(text, smiles) for text in texts] for texts, smiles in pairs]


def _cross_fitted(
    lists: Sequence[list[list[Spelling]]],
    positions: Sequence[int],
    features: Callable[[Sequence[Spelling]], SparseMatrix],
    seed: int,
) -> NDArray[np.float64]:
    """Expected recall@1 of each list, by the model that was fitted to the other half of the molecules.

    Args:
        lists: For each list, for each candidate, its strings; a candidate scores as the best of them.
        positions: (n,) of the truths in them.
        features: As in `SpellingModel`.
        seed: Of the halves and the fits.
    """
    half = np.zeros(len(lists), bool)
    half[np.random.default_rng(seed).permutation(len(lists))[: len(lists) // 2]] = True
    recall = np.zeros(len(lists))
    for side in (False, True):
        parted = [_parted(lists[at], positions[at]) for at in np.flatnonzero(half == side).tolist()]
        model = SpellingModel(parted, features=features, seed=seed)
        i: int
        for i in np.flatnonzero(half != side).tolist():
            scores = model.scores([text for texts in lists[i] for text in texts])
            starts = np.cumsum([0, *(len(texts) for texts in lists[i][:-1])])
            best = np.round(np.maximum.reduceat(scores, starts), _DECIMALS)
            recall[i] = expected_recall(*tie_counts(best, positions[i]), 1)
    return recall


def _parted(candidates: list[list[Spelling]], truth_at: int) -> tuple[list[Spelling], list[list[Spelling]]]:
    """Strings of each candidate -> (those of the truth, those of each decoy)."""
    return candidates[truth_at], [texts for i, texts in enumerate(candidates) if i != truth_at]
