"""Recall at k and mean reciprocal rank, ties at their expected rank, intervals bootstrapped over molecules."""

import dataclasses

import numpy as np

RESAMPLES = 2000
DEFAULT_KS = (1, 5, 20)


def tie_counts(score, truth):
    """Where the truth stands in a list: (candidates above it, candidates tied with it, itself included).

    score (n,) higher is better; truth the position of the true candidate.
    """
    mine = score[truth]
    return int((score > mine).sum()), int((score == mine).sum())


def expected_recall(above, tied, k):
    """P(rank <= k) when the order among `tied` equal candidates is drawn: clip((k - above) / tied, 0, 1).

    above, tied (n,) counts, tied 0 where the truth is not in the list -> (n,) float64, 0 there.
    """
    above, tied = np.asarray(above, np.float64), np.asarray(tied, np.float64)
    return np.where(tied > 0, np.clip((k - above) / np.maximum(tied, 1), 0, 1), 0.0)


def expected_reciprocal_rank(above, tied):
    """Mean of 1/rank over the ranks above + 1 ... above + tied; 0 where the truth is not in the list. (n,) float64."""
    above, tied = np.asarray(above, np.int64), np.asarray(tied, np.int64)
    # sums of 1/1 ... 1/n
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, (above + tied).max(initial=0) + 1))])
    return np.where(tied > 0, (harmonic[above + tied] - harmonic[above]) / np.maximum(tied, 1), 0.0)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrapped_means(values, molecules, *, resamples=RESAMPLES, seed=0):
    """Means of per-spectrum values over spectra and over molecules, with intervals bootstrapped over molecules.

    values (n, m) float, molecules (n,) the molecule of each spectrum -> two lists of m `Estimate`s: over spectra, and
    over molecules (each molecule's spectra averaged first). Molecules are resampled with all their spectra, since
    spectra of one molecule are not independent. n must not be 0.
    """
    values = np.asarray(values, np.float64)
    names, inverse = np.unique(np.asarray(molecules), return_inverse=True)
    count = np.bincount(inverse, minlength=len(names)).astype(np.float64)
    sums = np.stack([np.bincount(inverse, column, minlength=len(names)) for column in values.T], axis=1)
    means = sums / count[:, None]
    over_spectra, over_molecules = np.empty((2, resamples, values.shape[1]))
    random = np.random.default_rng(seed)
    for draw in range(resamples):
        drawn = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names)).astype(np.float64)
        over_spectra[draw] = drawn @ sums / (drawn @ count)
        over_molecules[draw] = drawn @ means / len(names)
    return _estimates(values.mean(0), over_spectra), _estimates(means.mean(0), over_molecules)


def _estimates(values, resampled):
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    return [Estimate(*map(float, row)) for row in zip(values, low, high, strict=True)]
