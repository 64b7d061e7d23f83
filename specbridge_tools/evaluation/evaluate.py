"""All metrics of a hits table, split by polarity, adduct and precursor m/z."""

import dataclasses
import math

import numpy as np

from specbridge_tools.evaluation import baselines, calibration, metrics
from specbridge_tools.evaluation.metrics import DEFAULT_KS, RESAMPLES

MZ_EDGES = (0, 200, 300, 400, 500, 600, 800, math.inf)
PRECISION_AT = (0.5, 0.7, 0.8, 0.9, 0.95)
_NEEDS_WHOLE_LISTS = "needs the whole lists (--top 0) and their mass errors"


@dataclasses.dataclass(frozen=True)
class Metric:
    """One figure: of which queries, of which ranking, its 95 % interval (nan where there is none), and its limits.

    ranking  `score` of the hits, a baseline (`evaluation.baselines`), `probability`, or `lists`
    over     `spectra` or `molecules` (spectra averaged within each molecule first)
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


def evaluate(lists, *, ks=DEFAULT_KS, resamples=RESAMPLES, seed=0):
    """`CandidateList`s of all queries -> list of `Metric`, the subset `all` first."""
    lists = list(lists)
    counts = _tie_counts(lists)
    return [
        metric
        for subset, chosen in _subsets(lists)
        for metric in _subset_metrics(subset, [lists[i] for i in chosen], counts, chosen, (ks, resamples, seed))
    ]


def _tie_counts(lists):
    blind = baselines.SpectrumBlindScore(lists)
    rankings = {
        "score": baselines.score_counts,
        "random": baselines.random_counts,
        "spectrum_blind": blind.counts,
        "mass_only": baselines.mass_only_counts,
    }
    return {name: [counts(c) for c in lists] for name, counts in rankings.items()}


def _subsets(lists):
    """(name, positions) of every subset that holds a query: all, then by polarity, adduct and precursor m/z."""
    yield "all", range(len(lists))
    for kind in (_polarity, _adduct, _mz_range):
        named = {}
        for i, candidates in enumerate(lists):
            named.setdefault(kind(candidates.truth), []).append(i)
        for key in sorted(named):
            yield key[-1], named[key]


def _polarity(truth):
    return ("polarity=" + {1: "positive", -1: "negative"}.get(truth.polarity, "unknown"),)


def _adduct(truth):
    return (f"adduct={truth.adduct or 'unknown'}",)


def _mz_range(truth):
    at = int(np.searchsorted(MZ_EDGES, truth.precursor_mz, side="right")) - 1
    return at, f"precursor_mz={MZ_EDGES[at]}-{MZ_EDGES[at + 1]}"


def _subset_metrics(subset, lists, counts, chosen, settings):
    ks, resamples, seed = settings
    molecules = [c.truth.inchikey14 for c in lists]
    size = (len(lists), len(set(molecules)))
    names = [*(f"recall@{k}" for k in ks), "mrr"]
    rankings = {name: [counts[name][i] for i in chosen] for name in counts}
    known = {name: rows for name, rows in rankings.items() if None not in rows}
    values = np.concatenate([_values(np.array(rows), ks) for rows in known.values()], axis=1)
    estimates = metrics.bootstrapped_means(values, molecules, resamples=resamples, seed=seed)
    result = _list_metrics(subset, lists, size)
    for ranking in rankings:
        for j, name in enumerate(names):
            for over, row in zip(("spectra", "molecules"), estimates, strict=True):
                if ranking not in known:
                    figures, note = (math.nan,) * 3, _NEEDS_WHOLE_LISTS
                else:
                    estimate = row[list(known).index(ranking) * len(names) + j]
                    figures, note = dataclasses.astuple(estimate), _note(lists, name, ranking, ks)
                result.append(Metric(subset, ranking, name, over, *figures, *size, note))
    return result + _probability_metrics(subset, lists, size)


def _values(counts, ks):
    above, tied = counts.T
    recall = [metrics.expected_recall(above, tied, k) for k in ks]
    return np.stack([*recall, metrics.expected_reciprocal_rank(above, tied)], axis=1)


def _note(lists, name, ranking, ks):
    """A cut list without the truth may hold it further down: the figure is then the least that it can be."""
    k = dict(zip((f"recall@{k}" for k in ks), ks, strict=True)).get(name, math.inf)
    k = math.inf if ranking == "random" else k
    n_open = sum(c.is_cut and c.truth_at < 0 and len(c.score) < k for c in lists)
    return f"at least: the truth may stand below the cut of {n_open} lists" if n_open else ""


def _list_metrics(subset, lists, size):
    sizes = [c.size for c in lists]
    found = float(np.mean([c.truth_at >= 0 for c in lists]))
    n_open = sum(c.is_cut and c.truth_at < 0 for c in lists)
    note = f"at least: {n_open} lists are cut" if n_open else ""
    rows = (
        ("truth_in_candidates", found, note),
        ("candidates_mean", float(np.mean(sizes)), ""),
        ("candidates_median", float(np.median(sizes)), ""),
    )
    return [Metric(subset, "lists", n, "spectra", v, math.nan, math.nan, *size, note) for n, v, note in rows]


def _probability_metrics(subset, lists, size):
    """How far the stated probability of the best hit can be trusted; nothing where the hits state none."""
    stated, right = first_candidates(lists)
    if np.isnan(stated).all():
        return []
    answered = ~np.isnan(stated)
    rows = [("ece", calibration.expected_calibration_error(stated[answered], right[answered]))]
    for threshold in PRECISION_AT:
        figures = calibration.precision_and_coverage(np.where(answered, stated, -1), right, threshold)
        rows += zip((f"precision@p>={threshold}", f"coverage@p>={threshold}"), figures, strict=True)
    return [Metric(subset, "probability", n, "spectra", v, math.nan, math.nan, *size) for n, v in rows]


def first_candidates(lists):
    """(n,) stated probability of each best hit, nan without one, and (n,) its expected share of being right."""
    stated = np.array([c.probability for c in lists])
    above, tied = np.array([baselines.score_counts(c) for c in lists]).T
    return stated, metrics.expected_recall(above, tied, 1)
