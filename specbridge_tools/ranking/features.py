"""From the evidence of a candidate list to the columns that the ranking reads.

Nothing here depends on the order of the candidates, on ids, names or spelling, or on the mass error: sums are taken
over sorted values, and candidates of equal evidence have equal columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.ranking.evidence import OWN, REFERENCE, Evidence
from specbridge_tools.reference.evidence import ANALOG, SAME_MOLECULE

Floats = NDArray[np.float64]

FORMULA = ("formula_best", "formula_mean")
"""The best and the mean fragment score of the candidates of the same formula."""
COMPARED = (*OWN, *FORMULA, *ANALOG)
FORMS = ("", "_z", "_below_best", "_rank")
"""How each kind of `COMPARED` enters: as it is; in standard deviations from the list's mean; its distance to the best
of the list; ln of its rank, ties sharing the mean."""
MOLECULE_FORMS = ("", "_below_best")
QUERY = (
    *("log_peaks", "log_spectra", "positive", "energy_known", "precursor_share"),
    *("log_candidates", "log_formulas", "has_reference", "best_same_ion"),
)
COLUMNS = (
    *(f"{kind}{form}" for kind in COMPARED for form in FORMS),
    *(f"{kind}{form}" for kind in SAME_MOLECULE for form in MOLECULE_FORMS),
    *QUERY,
)
_DECIMALS = 6  # of evidence: digits beyond them are noise, and must not make ranks of ties
_SMALLEST_SPREAD = 1e-5


def candidate_columns(evidence: Evidence) -> Floats:
    """Compute `COLUMNS` (n, k) of the n candidates of a list.

    Evidence that is missing for a candidate counts as the lowest of the list: nothing speaks for it. Reference evidence
    that was not looked for is 0 everywhere.
    """
    n = len(evidence)
    values: dict[str, Floats] = {kind: np.round(_filled(evidence.values[kind]), _DECIMALS) for kind in OWN}
    for kind in REFERENCE:
        known: Floats = np.asarray(evidence.values.get(kind, np.zeros(n)), np.float64)
        values[kind] = np.round(known, _DECIMALS)
    values |= dict(zip(FORMULA, _of_formula(values["fragment_score"], evidence.formulas), strict=True))
    columns: list[Floats] = []
    for kind in COMPARED:
        columns += _forms(values[kind])
    for kind in SAME_MOLECULE:
        columns += [values[kind], values[kind] - values[kind].max(initial=-np.inf)]
    columns += [np.full(n, value) for value in _query_values(evidence, values)]
    return np.stack(columns, axis=1)


def _filled(values: Floats) -> Floats:
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), known.min() if len(known) else 0.0, values)


def _forms(values: Floats) -> list[Floats]:
    ordered = np.sort(values)
    mean = ordered.mean() if len(values) else 0.0
    spread = float(np.sqrt(np.mean((ordered - mean) ** 2))) if len(values) else 0.0
    standard = (values - mean) / spread if spread > _SMALLEST_SPREAD else np.zeros(len(values))
    return [values, standard, values - values.max(initial=-np.inf), np.log(_mean_ranks(values, ordered))]


def _mean_ranks(values: Floats, ordered: Floats) -> Floats:
    """(n,) ranks from 1 for the highest, tied ones at the mean of theirs. scipy.stats takes 0.5 s to import."""
    below, up_to = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return len(values) - up_to + (up_to - below + 1) / 2


def _of_formula(score: Floats, formulas: object) -> tuple[Floats, Floats]:
    names, place = np.unique(np.asarray(formulas, str), return_inverse=True)
    order = np.lexsort((score, place))
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, place, score)
    mean = np.bincount(place[order], score[order], len(names)) / np.maximum(np.bincount(place, minlength=len(names)), 1)
    return best[place], mean[place]


def _query_values(evidence: Evidence, values: dict[str, Floats]) -> list[float]:
    query = evidence.query
    return [
        float(np.log(max(1.0, query.n_peaks))),
        float(np.log(max(1, query.n_spectra))),
        query.positive,
        query.energy_known,
        query.precursor_share,
        float(np.log(max(1, len(evidence)))),
        float(np.log(max(1, len(set(evidence.formulas))))),
        float(query.has_reference),
        float(values["same_ion"].max(initial=0.0)),
    ]
