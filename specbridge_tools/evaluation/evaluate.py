"""All metrics of a hits table, split by what reference spectra know, polarity, adduct and precursor m/z."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.evaluation import baselines, calibration
from specbridge_tools.evaluation.bootstrap import RESAMPLES, Estimate, bootstrapped_means
from specbridge_tools.evaluation.candidates import CandidateList
from specbridge_tools.evaluation.truth import Truth
from specbridge_tools.hits.expected_rank import (
    RECALL_CUTOFFS,
    TieCounts,
    expected_recall,
    expected_reciprocal_rank,
)
from specbridge_tools.reference.evidence import KINDS
from specbridge_tools.reference.measured import NEVER

MZ_EDGES = (0, 200, 300, 400, 500, 600, 800, math.inf)
PRECISION_AT = (0.5, 0.7, 0.8, 0.9, 0.95)
_UNKNOWN = Estimate(math.nan, math.nan, math.nan)
_NEEDED = {"mass_only": " and their mass errors", "cosine": " and their cosines"}  # beside the whole lists

# ranking -> counts of the truth in each list, None where they cannot be known
Rankings: TypeAlias = Mapping[str, Sequence[TieCounts | None]]


@dataclasses.dataclass(frozen=True)
class Metric:
    """One value: of which queries and which ranking, its 95 % interval (nan where there is none), and its limits.

    Attributes:
        subset: `all`, or e.g. `adduct=[M+H]+`.
        ranking: `score` of the hits, another one (`evaluation.baselines`), `probability`, or `lists`.
        metric: E.g. `recall@1`.
        over: `spectra`, or `molecules` (spectra averaged within each molecule first).
        value: The metric.
        low: Lower bound of the interval.
        high: Upper bound of the interval.
        n_spectra: In the subset.
        n_molecules: In the subset.
        note: What limits the value, '' for nothing.
    """

    subset: str
    ranking: str
    metric: str
    over: str
    value: float
    low: float
    high: float
    n_spectra: int
    n_molecules: int
    note: str = ""


@dataclasses.dataclass(frozen=True)
class _Settings:
    recall_at: Sequence[int]
    resamples: int
    seed: int

    @property
    def names(self) -> list[str]:
        return [*(f"recall@{k}" for k in self.recall_at), "mrr"]


def evaluate(
    lists: Iterable[CandidateList],
    *,
    ks: Sequence[int] = RECALL_CUTOFFS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Metric]:
    """All metrics, those of the subset `all` first.

    Args:
        lists: Of all queries, at least one.
        ks: The ranks of recall at k.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """
    lists = list(lists)
    settings = _Settings(ks, resamples, seed)
    rankings = _rankings(lists)
    metrics: list[Metric] = []
    for subset, positions in _subsets(lists):
        chosen = [lists[i] for i in positions]
        counts = {name: [ranking[i] for i in positions] for name, ranking in rankings.items()}
        metrics += _list_metrics(subset, chosen)
        metrics += _ranking_metrics(subset, chosen, counts, settings)
        metrics += _probability_metrics(subset, chosen)
    return metrics


def _rankings(lists: Sequence[CandidateList]) -> Rankings:
    counters: dict[str, Callable[[CandidateList], TieCounts | None]] = {
        "score": baselines.score_counts,
        "random": baselines.random_counts,
        "spectrum_blind": baselines.SpectrumBlindScore(lists).counts,
        "mass_only": baselines.mass_only_counts,
    }
    if any(candidates.cosine is not None for candidates in lists):
        counters["cosine"] = baselines.cosine_counts
    return {name: [count(candidates) for candidates in lists] for name, count in counters.items()}


def _subsets(lists: Sequence[CandidateList]) -> Iterator[tuple[str, Sequence[int]]]:
    """(name, positions) of every subset that holds a query: all, by reference, polarity, adduct and precursor m/z."""
    yield "all", range(len(lists))
    by_reference = [_reference] if any(candidates.truth.measured for candidates in lists) else []
    for kind in (*by_reference, _polarity, _adduct, _mz_range):
        positions_of: dict[tuple[float, str], list[int]] = {}
        for i, candidates in enumerate(lists):
            positions_of.setdefault(kind(candidates.truth), []).append(i)
        for order, name in sorted(positions_of):
            yield name, positions_of[order, name]


def _reference(truth: Truth) -> tuple[float, str]:
    return (*KINDS, NEVER).index(truth.measured), f"reference={truth.measured}"


def _polarity(truth: Truth) -> tuple[float, str]:
    return 0, "polarity=" + {1: "positive", -1: "negative"}.get(truth.polarity, "unknown")


def _adduct(truth: Truth) -> tuple[float, str]:
    return 0, f"adduct={truth.adduct or 'unknown'}"


def _mz_range(truth: Truth) -> tuple[float, str]:
    at = int(np.searchsorted(MZ_EDGES, truth.precursor_mz, side="right")) - 1
    return at, f"precursor_mz={MZ_EDGES[at]}-{MZ_EDGES[at + 1]}"


def _size(lists: Sequence[CandidateList]) -> tuple[int, int]:
    """(spectra, molecules)."""
    return len(lists), len({candidates.truth.inchikey14 for candidates in lists})


def _ranking_metrics(
    subset: str, lists: Sequence[CandidateList], rankings: Rankings, settings: _Settings
) -> Iterator[Metric]:
    known = {name: known for name, counts in rankings.items() if (known := _all_known(counts)) is not None}
    values = np.concatenate([_values(counts, settings.recall_at) for counts in known.values()], axis=1)
    molecules = [candidates.truth.inchikey14 for candidates in lists]
    means = bootstrapped_means(values, molecules, resamples=settings.resamples, seed=settings.seed)
    columns = [(ranking, name) for ranking in known for name in settings.names]
    estimates = [dict(zip(columns, row, strict=True)) for row in means]
    for ranking in rankings:
        for k, name in zip((*settings.recall_at, math.inf), settings.names, strict=True):
            needed = f"needs the whole lists (--top 0){_NEEDED.get(ranking, '')}"
            note = _cut_note(lists, math.inf if ranking == "random" else k) if ranking in known else needed
            for over, estimate_of in zip(("spectra", "molecules"), estimates, strict=True):
                estimate = estimate_of.get((ranking, name), _UNKNOWN)
                yield Metric(
                    subset, ranking, name, over, estimate.value, estimate.low, estimate.high, *_size(lists), note
                )


def _all_known(counts: Sequence[TieCounts | None]) -> list[TieCounts] | None:
    known = [count for count in counts if count is not None]
    return known if len(known) == len(counts) else None


def _values(counts: Sequence[TieCounts], ks: Sequence[int]) -> NDArray[np.float64]:
    """(n, len(ks) + 1): recall at each k, and the reciprocal rank."""
    above, tied = np.array(counts).T
    recall = [expected_recall(above, tied, k) for k in ks]
    return np.stack([*recall, expected_reciprocal_rank(above, tied)], axis=1)


def _cut_note(lists: Sequence[CandidateList], k: float) -> str:
    """A cut list without the truth may hold it further down: the value is then the least that it can be."""
    n_open = sum(c.is_cut and c.truth_at < 0 and len(c.score) < k for c in lists)
    return f"at least: the truth may stand below the cut of {n_open} lists" if n_open else ""


def _list_metrics(subset: str, lists: Sequence[CandidateList]) -> Iterator[Metric]:
    sizes = [candidates.size for candidates in lists]
    listed = float(np.mean([candidates.truth_at >= 0 for candidates in lists]))
    n_open = sum(candidates.is_cut and candidates.truth_at < 0 for candidates in lists)
    note = f"at least: {n_open} lists are cut" if n_open else ""
    rows = (
        ("truth_in_candidates", listed, note),
        ("candidates_mean", float(np.mean(sizes)), ""),
        ("candidates_median", float(np.median(sizes)), ""),
    )
    for name, value, note in rows:
        yield Metric(subset, "lists", name, "spectra", value, math.nan, math.nan, *_size(lists), note)


def _probability_metrics(subset: str, lists: Sequence[CandidateList]) -> Iterator[Metric]:
    """How far the probability of the top hit can be trusted; nothing where the hits have none."""
    probability, correct = judge_top_hits(lists)
    known = ~np.isnan(probability)
    if not known.any():
        return
    rows = [("ece", calibration.expected_calibration_error(probability[known], correct[known]))]
    for threshold in PRECISION_AT:
        values = calibration.precision_and_coverage(np.where(known, probability, -1), correct, threshold)
        rows += zip((f"precision@p>={threshold}", f"coverage@p>={threshold}"), values, strict=True)
    for name, value in rows:
        yield Metric(subset, "probability", name, "spectra", value, math.nan, math.nan, *_size(lists))


def judge_top_hits(lists: Sequence[CandidateList]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The probability of each top hit and whether it is correct.

    Returns:
        (n,) probability, nan where there is none; (n,) 1 for a correct top hit, 0 for another, the truth's share of the
        candidates where several are tied at the top.
    """
    top_hits = [candidates.top_hit for candidates in lists]
    probability = np.array([math.nan if top_hit is None else top_hit.probability for top_hit in top_hits])
    above, tied = np.array([baselines.score_counts(candidates) for candidates in lists]).T
    return probability, expected_recall(above, tied, 1)
