"""Ranked candidates -> the rows of the hits table."""

import dataclasses

import numpy as np

from specbridge_tools.hits.hits import COLUMNS, Hits
from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.hits.ranking import competition_ranks
from specbridge_tools.spectra.spectrum import Spectrum


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """The rows of one query, and where they are kept its spectra: one, or all of the group."""

    hits: Hits
    spectra: tuple[Spectrum, ...] = ()


def hits_of_candidates(index, query, best, *, n_candidates, n_rows, calibration=None):
    """The first `n_rows` of the ranked candidates `best` as `Hits`; `calibration` only where `best` holds them all."""
    ranks = competition_ranks(best.score)
    probabilities = None
    if calibration is not None:
        probabilities = candidate_probabilities(best.score, calibration, n_candidates=len(best))[:n_rows]
    best = best.take(slice(0, n_rows))
    texts = _texts(index, best.row)
    names = [*(adduct.name for adduct in query.adducts), ""]
    error = best.mass_error_ppm.tolist()
    columns = {
        "query_id": _repeated(query.id, best),
        "rank": [str(rank) for rank in ranks[: len(best)].tolist()],
        # as many digits as it takes to read the same float64 again, so that order and ties survive
        "score": [repr(score) for score in best.score.tolist()],
        "probability": _repeated("", best) if probabilities is None else [f"{p:.6g}" for p in probabilities.tolist()],
        "inchikey14": best.inchikey14.astype(str).tolist(),
        "exact_mass": [f"{mass:.6f}" for mass in best.exact_mass.tolist()],
        "adduct": [names[number] for number in best.adduct.tolist()],
        "mass_error_ppm": ["" if np.isnan(ppm) else f"{ppm:.3f}" for ppm in error],
        "n_candidates": _repeated(str(n_candidates), best),
        "reason": _repeated("", best),
        "record": _repeated(str(query.record), best),
        **texts,
    }
    return Hits(COLUMNS, list(zip(*(columns[name] for name in COLUMNS), strict=True)))


def above_probability(hits, least):
    """The rows of `hits` whose probability is at least `least`; without any, the row that says so."""
    if not hits.n_rows:
        return hits
    rows = [row for row, p in zip(hits.rows, hits.numbers("probability"), strict=True) if p >= least]
    if rows:
        return Hits(hits.columns, rows)
    kept = {name: hits.value(name) for name in ("query_id", "n_candidates", "record")}
    kept["reason"] = f"no candidate with a probability of at least {least:g}"
    return Hits(hits.columns, [tuple(kept.get(name, "") for name in hits.columns)])


def hits_without_candidates(query, reason):
    """The one row of a query without candidates."""
    values = {"query_id": query.id, "n_candidates": "0", "reason": reason, "record": str(query.record)}
    return Hits(COLUMNS, [tuple(values.get(name, "") for name in COLUMNS)])


def _texts(index, rows):
    """The text columns of rows in any order."""
    order = np.argsort(rows)
    back = np.empty(len(rows), np.int64)
    back[order] = np.arange(len(rows))
    back = back.tolist()
    found = {name: column.take(rows[order]) for name, column in index.texts.items()}
    return {name: [values[i] for i in back] for name, values in found.items()}


def _repeated(value, best):
    return [value] * len(best)
