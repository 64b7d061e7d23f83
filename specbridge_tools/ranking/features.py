"""From the evidence of a candidate list to the columns that the ranking reads.

Nothing here depends on the order of the candidates, on ids, names or spelling, or on the mass error: sums are taken
over sorted values, and candidates of equal evidence have equal columns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.ranking.evidence import LINEAR, OWN, REFERENCE, Evidence
from specbridge_tools.reference.evidence import ANALOG, SAME_MOLECULE

Floats = NDArray[np.float64]

FORMULA = ("formula_best", "formula_mean")
"""The best and the mean fragment score of the candidates of the same formula."""
SUM = "linear"
"""The linear sum, of `evidence.LINEAR` or of weights that a ranking has of its own."""
COMPARED = (*OWN, *FORMULA, *ANALOG, SUM)
FORMS = ("", "_z", "_below_best", "_rank")
"""How each kind of `COMPARED` enters: as it is; in standard deviations from the list's mean; its distance to the best
of the list; ln of its rank, ties sharing the mean."""
LEVEL = ("fragment_score", *FORMULA, SUM)
"""Kinds of `COMPARED` that do not enter as they are: how high they are depends on the spectrum, not on the candidate.

Nor does what is known of a query beyond `QUERY`, such as whether its energy is: spectra of known molecules that the
ranking can learn from come from few laboratories, and it would learn what marks their spectra."""
MEASURED = "measured"
"""The best of `SAME_MOLECULE`."""
MOLECULE_FORMS = ("", "_below_best")
STEPS = (0.3, 0.5, 0.7, 0.85)
"""`same_ion` counts once more from each of these similarities on: a low one says nothing."""
SAME_ION = (*(f"same_ion_above_{step:g}" for step in STEPS), "same_ion_lead", "same_ion_log_peaks")
"""... and by its distance to the best of the others, and times ln of the number of peaks."""
QUERY = ("log_peaks", "log_spectra", "log_candidates", "best_same_ion")
COLUMNS = (
    *(f"{kind}{form}" for kind in COMPARED for form in FORMS if form or kind not in LEVEL),
    *(f"{kind}{form}" for kind in (*SAME_MOLECULE, MEASURED) for form in MOLECULE_FORMS),
    *SAME_ION,
    *QUERY,
)
_DECIMALS = 6  # of evidence: digits beyond them are noise, and must not make ranks of ties
_SMALLEST_SPREAD = 1e-5


class ListFeatures:
    """What the evidence of a candidate list is as plain columns.

    Evidence that is missing for a candidate counts as the lowest of the list: nothing speaks for it.

    Attributes:
        values: {name: (n,)} of the evidence, `SUM`, and `QUERY`, which is the same for all candidates.
    """

    def __init__(self, evidence: Evidence, linear: Mapping[str, float] = LINEAR) -> None:
        """Take a list.

        Args:
            evidence: Of its n candidates.
            linear: Weights of `SUM`.
        """
        n = len(evidence)
        values: dict[str, Floats] = {kind: np.round(_filled(evidence.values[kind]), _DECIMALS) for kind in OWN}
        for kind in REFERENCE:
            known: Floats = np.asarray(evidence.values[kind], np.float64)
            values[kind] = np.round(known, _DECIMALS)
        total = sum((weight * values[kind] for kind, weight in linear.items()), start=np.zeros(n))
        values[SUM] = np.round(total, _DECIMALS)
        values |= {name: np.full(n, value) for name, value in _query_values(evidence, values["same_ion"]).items()}
        self.values: Mapping[str, Floats] = values
        self._formulas = evidence.formulas

    @property
    def sum(self) -> Floats:
        """The sum (n,) of the evidence with its weights: the score of a ranking without networks."""
        return self.values[SUM]

    def columns(self) -> Floats:
        """`COLUMNS` (n, k), which networks read."""
        values = dict(self.values)
        values |= dict(zip(FORMULA, _of_formula(values["fragment_score"], self._formulas), strict=True))
        values[MEASURED] = np.max([values[kind] for kind in SAME_MOLECULE], axis=0)
        columns: list[Floats] = []
        for kind in COMPARED:
            columns += _forms(values[kind])[kind in LEVEL :]
        for kind in (*SAME_MOLECULE, MEASURED):
            columns += [values[kind], values[kind] - values[kind].max(initial=-np.inf)]
        columns += _same_ion(values["same_ion"], values["log_peaks"])
        columns += [values[name] for name in QUERY]
        return np.stack(columns, axis=1)


def _same_ion(similarity: Floats, log_peaks: Floats) -> list[Floats]:
    steps = [np.maximum(similarity - step, 0) for step in STEPS]
    first, second = np.sort(np.append(similarity, [-np.inf, 0.0]))[::-1][:2]
    lead = similarity - np.where(similarity == first, second, first)
    return [*steps, lead, similarity * log_peaks]


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


def _query_values(evidence: Evidence, same_ion: Floats) -> dict[str, float]:
    query = evidence.query
    return {
        "log_peaks": float(np.log(max(1.0, query.n_peaks))),
        "log_spectra": float(np.log(max(1, query.n_spectra))),
        "log_candidates": float(np.log(max(1, len(evidence)))),
        "best_same_ion": float(same_ion.max(initial=0.0)),
    }
