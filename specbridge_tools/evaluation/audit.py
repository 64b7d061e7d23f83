"""Whether the spelling of candidates, as they were given, tells the truth apart from its decoys.

Results have been published that rested on it: truths spelled by one program, decoys by another, and a model that reads
strings. Models that see only letters (`evaluation.spelling`) rank the same lists, fitted on the lists of half of the
molecules and applied to those of the other half, and the other way round:

spelling_as_given   by the n-grams of the strings as given
spelling_canonical  by those of the canonical strings: what the molecules themselves tell, since truths are seldom drawn
                    like decoys. What is reached beyond that, `spelling_excess`, is spelling
spelling_marks      by the marks in which a string differs from its canonical form, the same for every molecule that is
                    written alike: it sees hardly anything of the molecule
"""

import dataclasses
import math

import numpy as np

from specbridge_tools.evaluation.evaluate import Metric
from specbridge_tools.evaluation.metrics import RESAMPLES, bootstrapped_means, expected_recall, tie_counts
from specbridge_tools.evaluation.spelling import SpellingModel, mark_matrix, ngram_matrix

SUBSET = "audit"
LEAST_MOLECULES = 10
# how far the lower end of the 95 % interval of the excess must lie above nothing
_EXCESS_ABOVE = 0.02
# how far that of the marks must lie above chance, as a share of the way from there to 1
_MARKS_ABOVE = 0.2
_DECIMALS = 9
_RANKINGS = ("spelling_as_given", "spelling_canonical", "spelling_marks", "random", "spelling_excess")


@dataclasses.dataclass(frozen=True)
class SpelledList:
    """The candidates of one molecule's list, each once.

    molecule   first InChIKey block of the truth
    spelled    for each candidate all strings that stand for it in the list
    canonical  for each candidate its canonical SMILES
    truth_at   position of the truth
    """

    molecule: str
    spelled: list[list[str]]
    canonical: list[str]
    truth_at: int


def audit(lists, *, resamples=RESAMPLES, seed=0):
    """`SpelledList`s, one a molecule -> list of `Metric` of the subset `audit`, the last of which is the alarm.

    Recall@1 of the three models and of chance, with 95 % intervals over molecules. `alarm` is 1 where the interval of
    the excess lies above 0.02, or that of the marks a fifth of the way from chance to 1; else 0. Of fewer than 10
    molecules nothing can be said: all are nan.
    """
    lists = [each for each in lists if len(each.spelled) > 1]
    size = (len(lists), len(lists))
    if len(lists) < LEAST_MOLECULES:
        note = f"needs {LEAST_MOLECULES} molecules whose lists hold them and a decoy, there are {len(lists)}"
        unknown = (math.nan,) * 3
        rows = [Metric(SUBSET, name, "recall@1", "molecules", *unknown, *size, note) for name in _RANKINGS]
        return [*rows, Metric(SUBSET, "spelling", "alarm", "lists", *unknown, *size, note)]
    given = _cross_fitted([each.spelled for each in lists], lists, ngram_matrix, seed)
    canonical = _cross_fitted([[[text] for text in each.canonical] for each in lists], lists, ngram_matrix, seed)
    marks = _cross_fitted([_with_canonical(each) for each in lists], lists, mark_matrix, seed)
    chance = np.array([1 / len(each.spelled) for each in lists])
    values = np.stack([given, canonical, marks, chance, given - canonical], axis=1)
    _, estimates = bootstrapped_means(values, [each.molecule for each in lists], resamples=resamples, seed=seed)
    rows = [
        Metric(SUBSET, name, "recall@1", "molecules", *dataclasses.astuple(estimate), *size)
        for name, estimate in zip(_RANKINGS, estimates, strict=True)
    ]
    return [*rows, _alarm(estimates, size)]


def _alarm(estimates, size):
    given, canonical, marks, chance, excess = estimates
    sounds = excess.low > _EXCESS_ABOVE or marks.low > chance.value + _MARKS_ABOVE * (1 - chance.value)
    figures = f"{given.value:.1%} of truths as they are given, {canonical.value:.1%} in canonical form"
    beside = f"{marks.value:.1%} by marks of spelling, chance {chance.value:.1%}"
    if sounds:
        note = f"ALARM: the spelling of SMILES gives truths away: letters alone identify {figures} ({beside})"
    else:
        note = f"spelling gives nothing away: letters alone identify {figures} ({beside})"
    return Metric(SUBSET, "spelling", "alarm", "lists", float(sounds), math.nan, math.nan, *size, note)


def _with_canonical(each):
    """For each candidate its (string, canonical SMILES) pairs."""
    return [[(text, smiles) for text in texts] for texts, smiles in zip(each.spelled, each.canonical, strict=True)]


def _cross_fitted(strings, lists, features, seed):
    """(n,) expected recall@1 of each list, by the model that was fitted on the other half of the molecules.

    strings: for each list, for each candidate, its strings; a candidate scores as the best of them.
    """
    half = np.zeros(len(lists), bool)
    half[np.random.default_rng(seed).permutation(len(lists))[: len(lists) // 2]] = True
    recall = np.zeros(len(lists))
    for side in (False, True):
        parted = [_parted(strings[i], lists[i].truth_at) for i in np.flatnonzero(half == side)]
        fitted = SpellingModel(parted, features=features, seed=seed)
        for i in np.flatnonzero(half != side):
            scores = fitted.scores([text for texts in strings[i] for text in texts])
            starts = np.cumsum([0, *(len(texts) for texts in strings[i][:-1])])
            best = np.round(np.maximum.reduceat(scores, starts), _DECIMALS)
            recall[i] = expected_recall(*tie_counts(best, lists[i].truth_at), 1)
    return recall


def _parted(candidates, truth_at):
    """Strings of each candidate -> (those of the truth, those of each decoy)."""
    return candidates[truth_at], [texts for i, texts in enumerate(candidates) if i != truth_at]
