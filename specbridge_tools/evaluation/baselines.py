"""Rankings that know nothing of the spectrum, from the very candidate lists that are evaluated.

What they reach is what a method gets for free; a result means the distance to them.

random          every order of the list is equally likely
spectrum_blind  a molecule's score in the lists of *other* molecules' spectra: scores are taken relative to the mean of
                their list, averaged over the lists of queries whose true molecule is another one; 0 for a molecule
                that stands in none. It shows candidates that are favoured whatever the spectrum: a spelling, a source,
                a hub of the space.
mass_only       the smaller the absolute mass error, the better
"""

import numpy as np

from specbridge_tools.evaluation.metrics import tie_counts

# relative scores that differ by rounding alone are equal
_DECIMALS = 9


def random_counts(candidates):
    """(above, tied) of the truth under `random`; (0, 0) where the list does not hold it."""
    return (0, candidates.size) if candidates.truth_at >= 0 else (0, 0)


def score_counts(candidates):
    """(above, tied) of the truth under the score of the hits."""
    return _counts(candidates.score, candidates)


def mass_only_counts(candidates):
    """(above, tied) of the truth under `mass_only`; None where the hits do not tell it."""
    if candidates.truth_at < 0 and not candidates.is_cut:
        return 0, 0
    if candidates.is_cut or candidates.mass_error is None:
        return None
    return _counts(-candidates.mass_error, candidates)


class SpectrumBlindScore:
    """The `spectrum_blind` score, learned from all lists that are whole."""

    def __init__(self, lists):
        lists = [c for c in lists if not c.is_cut]
        owners = {key: number for number, key in enumerate({c.truth.inchikey14 for c in lists})}
        owner = np.array([owners[c.truth.inchikey14] for c in lists], np.int64)
        molecule = _joined([c.molecule for c in lists], np.int64)
        relative = _joined([c.score - c.score.mean() for c in lists if len(c.score)], np.float64)
        pair = np.repeat(owner, [len(c.score) for c in lists]) * (molecule.max(initial=0) + 1) + molecule
        pairs, inverse = np.unique(pair, return_inverse=True)
        self._n_molecules = int(molecule.max(initial=0)) + 1
        self._owners = owners
        self._sum, self._count = _sums(molecule, relative, self._n_molecules)
        self._pairs = pairs
        self._own_sum, self._own_count = _sums(inverse, relative, len(pairs))

    def scores(self, candidates):
        """(n,) float64 for the candidates of one of the lists."""
        own = self._owners[candidates.truth.inchikey14] * self._n_molecules + candidates.molecule
        at = np.searchsorted(self._pairs, own)
        count = self._count[candidates.molecule] - self._own_count[at]
        total = self._sum[candidates.molecule] - self._own_sum[at]
        return np.where(count > 0, np.round(total / np.maximum(count, 1), _DECIMALS), 0.0)

    def counts(self, candidates):
        """(above, tied) of the truth; None where the list is cut."""
        return None if candidates.is_cut else _counts(self.scores(candidates), candidates)


def _counts(score, candidates):
    return tie_counts(score, candidates.truth_at) if candidates.truth_at >= 0 else (0, 0)


def _joined(arrays, dtype):
    return np.concatenate([np.zeros(0, dtype), *arrays])


def _sums(number, value, n):
    return np.bincount(number, value, minlength=n), np.bincount(number, minlength=n)
