"""Candidate lists as the evaluation needs them: merged by molecule, compact, with the position of the truth."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.evaluation.truth import Truth, TruthTable
from specbridge_tools.hits.hits import Hits
from specbridge_tools.spectra import reasons

Floats: TypeAlias = NDArray[np.float64]
_NOT_ASKED = (reasons.NO_PRECURSOR, reasons.PRECURSOR_NOT_POSITIVE)


@dataclasses.dataclass(frozen=True)
class TopHit:
    """The best candidate of a query; text is '' and a number nan where the table of hits does not hold it."""

    score: float = math.nan
    probability: float = math.nan
    adduct: str = ""
    name: str = ""
    smiles: str = ""
    formula: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateList:
    """The candidates of one query; repeated 2D structures count once, with their best score and smallest mass error.

    Attributes:
        truth: Of the query.
        molecule: (n,) numbers of the candidates' InChIKey blocks, the same in all lists of a `read_lists`.
        score: (n,) higher is better.
        mass_error: (n,) absolute, ppm; None where the table does not hold it.
        truth_at: Position of the truth, or -1.
        size: Candidates that the search found, more than n where the table was cut to the top ones.
        top_hit: The best one, None without any.
        cosine: (n,) the highest of each molecule, where hits are ranked by more than that; None where they do not say.
    """

    truth: Truth
    molecule: NDArray[np.int64]
    score: Floats
    mass_error: Floats | None
    truth_at: int
    size: int
    top_hit: TopHit | None = None
    cosine: Floats | None = None

    @property
    def is_cut(self) -> bool:
        return self.size > len(self.score)


def read_lists(
    hits: Iterable[Hits], truths: TruthTable, *, numbers: dict[str, int] | None = None
) -> Iterator[CandidateList]:
    """Yield one list for every truth of a query that was asked; those without rows come last, empty.

    Args:
        hits: Of `hits.hits.read_hits`, queries in any order; those without a usable truth are left out, and
            those that were not searched since their spectra have no precursor m/z.
        truths: Of the queries.
        numbers: Is filled with the number of each InChIKey block.

    Raises:
        MismatchError: Where a query has hits but is not among the spectra.
        DataError: Where it comes twice, or a score is not finite.
    """
    numbers = {} if numbers is None else numbers
    seen = set()
    for query in hits:
        truth = truths.find(query.query_id, query.record)
        if truth is None:
            continue
        if truth in seen:
            raise DataError(
                f"the rows of query {truth.query_id} do not stand together", advice="keep the rows of a query together"
            )
        seen.add(truth)
        if truth.is_derived and query.reason in _NOT_ASKED:
            continue
        yield _candidate_list(truth, query, numbers) if len(query) else _empty_list(truth, _n_found(query))
    for truth in truths.truths:
        if truth not in seen:
            yield _empty_list(truth, 0)


def _empty_list(truth: Truth, size: int) -> CandidateList:
    """A list without rows; its `size` is above 0 where all candidates were left out as improbable."""
    nothing = np.zeros(0)
    return CandidateList(truth, nothing.astype(np.int64), nothing, nothing, -1, size)


def _candidate_list(truth: Truth, hits: Hits, numbers: dict[str, int]) -> CandidateList:
    keys, scores = hits.column("inchikey14"), hits.numbers("score")
    if not np.isfinite(scores).all():
        raise DataError(f"query {hits.query_id}: a score is missing or not finite", advice="run sb-query again")
    position = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    at = np.array([position[key] for key in keys])
    n_found = _n_found(hits)
    return CandidateList(
        truth,
        np.array([numbers.setdefault(key, len(numbers)) for key in position], np.int64),
        _best(scores, at, len(position)),
        _smallest_errors(hits, at, len(position)),
        position.get(truth.inchikey14, -1),
        n_found if n_found > len(hits) else len(position),
        _top_hit(hits, int(scores.argmax())),
        _best_cosines(hits, at, len(position)),
    )


def _top_hit(hits: Hits, row: int) -> TopHit:
    texts = {name: hits.column(name)[row] for name in ("adduct", "name", "smiles", "formula") if name in hits.columns}
    return TopHit(float(hits.numbers("score")[row]), float(_numbers(hits, "probability")[row]), **texts)


def _n_found(hits: Hits) -> int:
    """How many candidates the search found, 0 where the table does not say."""
    return max(0, hits.n_candidates or 0)


def _numbers(hits: Hits, column: str) -> Floats:
    """A column, NaN where the table lacks it."""
    return hits.numbers(column) if column in hits.columns else np.full(len(hits), np.nan)


def _smallest_errors(hits: Hits, at: NDArray[np.int64], n: int) -> Floats | None:
    errors = np.abs(_numbers(hits, "mass_error_ppm"))
    return None if np.isnan(errors).any() else -_best(-errors, at, n)


def _best_cosines(hits: Hits, at: NDArray[np.int64], n: int) -> Floats | None:
    cosines = _numbers(hits, "cosine")
    return None if np.isnan(cosines).any() else _best(cosines, at, n)


def _best(values: Floats, at: NDArray[np.int64], n: int) -> Floats:
    """The highest value of each of n molecules, of the rows that stand `at` them."""
    best = np.full(n, -np.inf)
    np.maximum.at(best, at, values)
    return best
