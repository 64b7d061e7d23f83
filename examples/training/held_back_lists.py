"""Candidate lists of spectra with known structures, as the fits of fusion and probability need them."""

import collections
import dataclasses

import numpy as np

from specbridge_tools.constants import OPEN_RERANK
from specbridge_tools.evaluation.truth import read_truths
from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.hits.table import read_hits
from specbridge_tools.records import Tally

FIRST = OPEN_RERANK  # candidates that are re-ranked at least


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateList:
    """The candidates of one query, highest cosine first: cosine and fragment score (n,), row of the truth or -1."""

    molecule: str
    cosine: np.ndarray
    fragment_score: np.ndarray
    truth: int

    def __len__(self):
        return len(self.cosine)

    def without_truth(self):
        """The list as a library without the truth gives it."""
        if self.truth < 0:
            return self
        cosine, fragment_score = np.delete(self.cosine, self.truth), np.delete(self.fragment_score, self.truth)
        return CandidateList(self.molecule, cosine, fragment_score, -1)

    def scores(self, fusion):
        """(scores, row of the truth or -1, number of candidates) of what is re-ranked; without `fusion` by cosine."""
        if fusion is None:
            return self.cosine, self.truth, len(self.cosine)
        scores = fusion.fuse(self.cosine[:FIRST], self.fragment_score[:FIRST])
        return scores, self.truth if self.truth < FIRST else -1, len(self.cosine)


def read_lists(hits, spectra, *, group_by=None):
    """The `CandidateList` of each query with candidates, of a re-ranked table of complete lists."""
    truths = read_truths(spectra, Tally(), group_by=group_by)
    lists = []
    for query in read_hits(hits):
        truth = truths.find(query.query_id, query.record)
        if not len(query) or truth is None:
            continue
        cosine, fragment_score = query.numbers("cosine"), query.numbers("fragment_score")
        keys = np.array(query.column("inchikey14"))
        order = np.lexsort((keys, -cosine))
        rows = np.flatnonzero(keys[order] == truth.inchikey14)
        place = int(rows[0]) if len(rows) else -1
        lists.append(CandidateList(truth.inchikey14, cosine[order], fragment_score[order], place))
    return lists


def half_without_truth(lists, seed=0):
    """The lists, a random half of them without their truth; lists that are empty then are left out."""
    removed = np.random.default_rng(seed).permutation(len(lists)) % 2 == 0
    changed = [
        candidates.without_truth() if remove else candidates for candidates, remove in zip(lists, removed, strict=True)
    ]
    return [candidates for candidates in changed if len(candidates)]


def best_hits(lists, weights, calibration, seed=1):
    """(n,) probability of each best hit and (n,) whether it is right, half of the truths taken away.

    `weights` are what the lists' `scores` takes.
    """
    probability, right = [], []
    for candidates in half_without_truth(lists, seed):
        scores, truth, n = candidates.scores(weights)
        best = int(np.argmax(scores))
        probability.append(candidate_probabilities(scores, calibration, n_candidates=n)[best])
        right.append(float(best == truth))
    return np.array(probability), np.array(right)


def halves(lists, seed=0):
    """(lists of one half of the molecules, lists of the other), both ways round."""
    molecules = sorted({candidates.molecule for candidates in lists})
    chosen = {molecules[i] for i in np.random.default_rng(seed).permutation(len(molecules))[::2]}
    first = [candidates for candidates in lists if candidates.molecule in chosen]
    second = [candidates for candidates in lists if candidates.molecule not in chosen]
    return (first, second), (second, first)


def molecule_weights(lists):
    """(n,) 1 / number of lists of the molecule."""
    counts = collections.Counter(candidates.molecule for candidates in lists)
    return np.array([1 / counts[candidates.molecule] for candidates in lists])
