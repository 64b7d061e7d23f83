"""Candidate lists as the evaluation needs them: merged by molecule, compact, with the place of the truth."""

import dataclasses
import math

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.evaluation.truth import Truth


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateList:
    """The candidates of one query; repeated 2D structures count once, with their best score and smallest mass error.

    molecule    (n,) int64 numbers of the candidates' InChIKey blocks, the same in all lists of a `read_lists`
    score       (n,) float64, higher is better
    mass_error  (n,) float64, absolute, ppm; None where the table does not tell it
    truth_at    position of the truth, or -1
    size        candidates that the search found, more than n where the table was cut to the top ones
    best        columns -> printed values of the best hit, empty without one
    probability stated for the best hit, nan where there is none
    """

    truth: Truth
    molecule: np.ndarray
    score: np.ndarray
    mass_error: np.ndarray | None
    truth_at: int
    size: int
    best: dict[str, str]
    probability: float = math.nan

    @property
    def is_cut(self):
        return self.size > len(self.score)


def read_lists(hits, table, *, numbers=None):
    """Yield one `CandidateList` for every truth of a `TruthTable`; those without rows come last, empty.

    hits: `hits.hits.read_hits`, queries in any order. numbers: a dict that is filled with the number of each InChIKey
    block. Queries without a usable truth are left out. Raises
    `MismatchError` where a query is in the hits alone, `DataError` where it comes twice or a score is not finite.
    """
    numbers, done = {} if numbers is None else numbers, set()
    for group in hits:
        truth = table.find(group.query_id, group.record)
        if truth is None:
            continue
        if truth in done:
            raise DataError(
                f"query {truth.query_id} stands in two places of the hits", advice="keep the rows of a query together"
            )
        done.add(truth)
        yield _candidate_list(truth, group, numbers)
    for truth in table.truths:
        if truth not in done:
            yield _candidate_list(truth, None, numbers)


def _candidate_list(truth, hits, numbers):
    if hits is None or not hits.n_rows:
        nothing = np.zeros(0)
        # all of them may have been left out as improbable
        size = 0 if hits is None else max(0, hits.n_candidates or 0)
        return CandidateList(truth, nothing.astype(np.int64), nothing, nothing, -1, size, {})
    keys, all_scores = hits.column("inchikey14"), hits.numbers("score")
    if not np.isfinite(all_scores).all():
        raise DataError(f"query {hits.query_id}: a score is missing or not finite", advice="run sb-query again")
    position = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    at = np.array([position[key] for key in keys])
    score = np.full(len(position), -np.inf)
    np.maximum.at(score, at, all_scores)
    truth_at, best = position.get(truth.inchikey14, -1), int(all_scores.argmax())
    n_found = max(0, hits.n_candidates or 0)
    return CandidateList(
        truth,
        np.array([numbers.setdefault(key, len(numbers)) for key in position], np.int64),
        score,
        _smallest_errors(hits, at, len(position)),
        truth_at,
        n_found if n_found > hits.n_rows else len(position),
        hits.printed(best),
        float(_numbers(hits, "probability")[best]),
    )


def _numbers(hits, column):
    """A column, NaN where the table lacks it."""
    return hits.numbers(column) if column in hits.columns else np.full(hits.n_rows, np.nan)


def _smallest_errors(hits, at, n):
    errors = np.abs(_numbers(hits, "mass_error_ppm"))
    if np.isnan(errors).any():
        return None
    smallest = np.full(n, np.inf)
    np.minimum.at(smallest, at, errors)
    return smallest
