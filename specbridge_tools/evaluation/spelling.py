"""Models that see nothing but how SMILES are written: what the spelling of a structure gives away.

A string is its n-grams of 1 to 4 letters, its two ends marked, hashed to 2**15 places; or it is the marks in which it
differs from the canonical spelling of the same molecule. A model ranks the strings of a list by a linear score, fitted
as a conditional logit: the truth against the rest of its list, with an L2 penalty.
"""

import numpy as np
from scipy import sparse

_PLACES = 1 << 15
_LONGEST = 4
_PENALTY = 1.0
# lists and decoys that a fit looks at; more change nothing but the time
_MOST_LISTS = 1500
_MOST_DECOYS = 24
# stereo, charge, parts, brackets, bonds, branches, ring bonds: what programs write differently
_SIGNS = "@/\\+-.[=(1%"
_START, _END = b"\x02", b"\x03"
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def ngram_matrix(texts):
    """n strings -> (n, 2**15) CSR float32: log(1 + count) of each n-gram."""
    coded = [_START + text.encode() + _END for text in texts]
    row = np.repeat(np.arange(len(coded)), [len(text) for text in coded])
    letters = np.frombuffer(b"".join(coded), np.uint8).astype(np.uint64)
    rows, places = [], []
    code = np.zeros(len(letters), np.uint64)
    for length in range(1, _LONGEST + 1):
        # the number of letters leads, so that n-grams of different lengths differ
        code = code[: len(letters) - length + 1] * np.uint64(257) + letters[length - 1 :]
        inside = row[: len(code)] == row[length - 1 :]
        hashed = (code + np.uint64(length) * np.uint64(257**5)) * _MULTIPLIER
        rows.append(row[: len(code)][inside])
        places.append((hashed >> np.uint64(49)).astype(np.int64)[inside])
    rows, places = np.concatenate(rows), np.concatenate(places)
    ones = np.ones(len(rows), np.float32)
    counts = sparse.coo_matrix((ones, (rows, places)), shape=(len(coded), _PLACES)).tocsr()
    return counts.log1p()


def mark_matrix(pairs):
    """n (SMILES as given, canonical SMILES) -> (n, marks) CSR float32, each mark 0 where the two are written alike."""
    return sparse.csr_matrix(np.array([_marks(*pair) for pair in pairs], np.float32))


def _marks(given, canonical):
    has_aromatic = [any(letter in text for letter in "cnos") for text in (given, canonical)]
    counted = [np.log((1 + given.count(sign)) / (1 + canonical.count(sign))) for sign in _SIGNS]
    return [
        float(given != canonical),
        float(given[:1] != canonical[:1]),
        float(given[-1:] != canonical[-1:]),
        float(has_aromatic[1] and not has_aromatic[0]),
        float("[H]" in given and "[H]" not in canonical),
        np.log((1 + len(given)) / (1 + len(canonical))),
        *counted,
    ]


class SpellingModel:
    """Fitted to lists of (strings of the truth, strings of each decoy); `scores` ranks the strings of any list.

    features  n strings (or whatever stands for one) -> (n, places) CSR: `ngram_matrix` or `mark_matrix`
    """

    def __init__(self, lists, *, features=ngram_matrix, seed=0):
        from scipy.optimize import minimize

        random = np.random.default_rng(seed)
        drawn = random.permutation(len(lists))[:_MOST_LISTS]
        texts, number, is_truth = [], [], []
        for position, (truth, decoys) in enumerate(lists[i] for i in drawn):
            chosen = [decoys[j] for j in random.permutation(len(decoys))[:_MOST_DECOYS]]
            strings = [*truth, *(text for decoy in chosen for text in decoy)]
            texts += strings
            number += [position] * len(strings)
            is_truth += [True] * len(truth) + [False] * (len(strings) - len(truth))
        matrix = features(texts)
        fit = _Fit(matrix, np.array(number), np.array(is_truth))
        start = np.zeros(matrix.shape[1])
        found = minimize(fit.loss_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": 60})
        self._features = features
        self._weights = found.x.astype(np.float32)

    def scores(self, texts):
        """(n,) float64 for n strings."""
        return (self._features(texts) @ self._weights).astype(np.float64)


class _Fit:
    """The penalised likelihood of the strings of lists, those of one list next to each other."""

    def __init__(self, features, number, is_truth):
        self._features = features
        self._transposed = features.T.tocsr()
        self._number = number
        self._starts = np.flatnonzero(np.diff(number, prepend=-1))
        self._is_truth = is_truth

    def loss_and_gradient(self, weights):
        """Sum over lists of log sum exp(all) - log sum exp(truth), plus the penalty; and its gradient."""
        score = self._features @ weights
        every, share = self._log_sum(score)
        truth, truth_share = self._log_sum(np.where(self._is_truth, score, -np.inf))
        gradient = self._transposed @ (share - truth_share) + _PENALTY * weights
        return float((every - truth).sum() + _PENALTY / 2 * weights @ weights), gradient

    def _log_sum(self, score):
        top = np.maximum.reduceat(score, self._starts)
        weight = np.exp(score - top[self._number])
        total = np.add.reduceat(weight, self._starts)
        return top + np.log(total), weight / total[self._number]
