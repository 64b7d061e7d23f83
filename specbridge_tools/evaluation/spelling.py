"""Models that see nothing but how SMILES are written: what the spelling of a structure gives away.

A string is its n-grams of 1 to 4 characters, its two ends marked, hashed to 2**15 buckets; or it is the marks in which
it differs from the canonical spelling of the same molecule. A model ranks the strings of a list by a linear score,
fitted as a conditional logit: the truth against the rest of its list, with an L2 penalty.

By hand, although scikit-learn has n-grams and logistic regression: it has no conditional logit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats: TypeAlias = NDArray[np.float64]
SparseMatrix: TypeAlias = Any  # scipy ships no types
Spelling = TypeVar("Spelling")

_BUCKETS = 1 << 15
_LONGEST = 4
_PENALTY = 1.0
# lists and decoys that a fit looks at; more change nothing but the time
_MOST_LISTS = 1500
_MOST_DECOYS = 24
# stereo, charge, parts, brackets, bonds, branches, ring bonds: what programs write differently
_SIGNS = "@/\\+-.[=(1%"
_START, _END = b"\x02", b"\x03"
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def ngram_matrix(texts: Sequence[str]) -> SparseMatrix:
    """(n, 2**15) CSR float32: log(1 + count) of each n-gram of n strings."""
    coded = [_START + text.encode() + _END for text in texts]
    row = np.repeat(np.arange(len(coded)), [len(text) for text in coded])
    characters = np.frombuffer(b"".join(coded), np.uint8).astype(np.uint64)
    rows, buckets = [], []
    code = np.zeros(len(characters), np.uint64)
    for length in range(1, _LONGEST + 1):
        code = code[: len(characters) - length + 1] * np.uint64(257) + characters[length - 1 :]
        inside = row[: len(code)] == row[length - 1 :]
        # the length enters, so that n-grams of different lengths differ
        hashed = (code + np.uint64(length) * np.uint64(257**5)) * _MULTIPLIER
        rows.append(row[: len(code)][inside])
        buckets.append((hashed >> np.uint64(49)).astype(np.int64)[inside])
    at = np.concatenate(rows), np.concatenate(buckets)
    ones = np.ones(len(at[0]), np.float32)
    return sparse.coo_matrix((ones, at), shape=(len(coded), _BUCKETS)).tocsr().log1p()


def mark_matrix(pairs: Sequence[tuple[str, str]]) -> SparseMatrix:
    """(n, marks) CSR float32 of n (SMILES as given, canonical SMILES); a mark is 0 where the two are written alike."""
    return sparse.csr_matrix(np.array([_marks(*pair) for pair in pairs], np.float32))


def _marks(given: str, canonical: str) -> list[float]:
    has_aromatic = [any(symbol in text for symbol in "cnos") for text in (given, canonical)]
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


class SpellingModel(Generic[Spelling]):
    """Ranks the spellings of any list by what tells truths from decoys in the lists that it was fitted to.

    A spelling is what `features` takes: a string for `ngram_matrix`, a pair of strings for `mark_matrix`.
    """

    def __init__(
        self,
        lists: Sequence[tuple[Sequence[Spelling], Sequence[Sequence[Spelling]]]],
        *,
        features: Callable[[Sequence[Spelling]], SparseMatrix],
        seed: int = 0,
    ) -> None:
        """Fit to lists of (spellings of the truth, spellings of each decoy).

        Args:
            lists: At least one.
            features: n spellings -> (n, features) CSR.
            seed: Of the draw of lists and decoys, where there are many.
        """
        from scipy.optimize import minimize

        rng = np.random.default_rng(seed)
        drawn_lists = rng.permutation(len(lists))[:_MOST_LISTS]
        spellings: list[Spelling] = []
        list_number: list[int] = []
        is_truth: list[bool] = []
        for number, (truth, decoys) in enumerate(lists[i] for i in drawn_lists):
            drawn_decoys = [decoys[j] for j in rng.permutation(len(decoys))[:_MOST_DECOYS]]
            members = [*truth, *(spelling for decoy in drawn_decoys for spelling in decoy)]
            spellings += members
            list_number += [number] * len(members)
            is_truth += [True] * len(truth) + [False] * (len(members) - len(truth))
        matrix = features(spellings)
        likelihood = _Likelihood(matrix, np.array(list_number), np.array(is_truth))
        start = np.zeros(matrix.shape[1])
        options = {"maxiter": 60}
        fitted = minimize(likelihood.loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options).x
        self._features = features
        self._weights = fitted.astype(np.float32)

    def scores(self, spellings: Sequence[Spelling]) -> Floats:
        """(n,) for n spellings."""
        return (self._features(spellings) @ self._weights).astype(np.float64)


class _Likelihood:
    """The penalised likelihood of the truths of lists.

    features (n, f) CSR of n spellings, those of one list next to each other; their list_number (n,), ascending from 0;
    is_truth (n,) bool.
    """

    def __init__(self, features: SparseMatrix, list_number: NDArray[np.int64], is_truth: NDArray[np.bool_]) -> None:
        self._features = features
        self._transposed = features.T.tocsr()
        self._list_number = list_number
        self._starts = np.flatnonzero(np.diff(list_number, prepend=-1))
        self._is_truth = is_truth

    def loss_and_gradient(self, weights: Floats) -> tuple[float, Floats]:
        """Sum over lists of log sum exp(all) - log sum exp(truth), plus the penalty; and its gradient (f,)."""
        score = self._features @ weights
        total, share = self._log_sum(score)
        truth, truth_share = self._log_sum(np.where(self._is_truth, score, -np.inf))
        gradient = self._transposed @ (share - truth_share) + _PENALTY * weights
        return float((total - truth).sum() + _PENALTY / 2 * weights @ weights), gradient

    def _log_sum(self, score: Floats) -> tuple[Floats, Floats]:
        """(lists,) log sum exp of the scores of each list, and (n,) the share of each spelling in it."""
        top = np.maximum.reduceat(score, self._starts)
        weight = np.exp(score - top[self._list_number])
        total = np.add.reduceat(weight, self._starts)
        return top + np.log(total), weight / total[self._list_number]
