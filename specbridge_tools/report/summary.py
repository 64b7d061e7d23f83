"""Counts over all queries of a hits table, made in one pass."""

from __future__ import annotations

import collections
import dataclasses
import math

from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.prior import prior_of

N_BINS = 10


@dataclasses.dataclass
class Summary:
    """Counts over queries.

    Attributes:
        n_queries: All.
        n_answered: Those with a candidate.
        n_candidates: Of all queries.
        reasons: Why a query has no candidate -> how many.
        probabilities: (N_BINS,) best candidates by their probability, from 0 to 1.
        prior: That the hits were ranked with, as in `patents:0.5`; '' for none.
        n_without_probability: Answered queries whose best candidate has none.
    """

    n_queries: int = 0
    n_answered: int = 0
    n_candidates: int = 0
    reasons: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    probabilities: list[int] = dataclasses.field(default_factory=lambda: [0] * N_BINS)
    n_without_probability: int = 0
    prior: str = ""

    def add(self, hits: Hits) -> Hits:
        """Count one query, and return it."""
        self.n_queries += 1
        self.prior = prior_of(hits.columns)
        if not len(hits):
            self.reasons[hits.reason or "no reason given"] += 1
            return hits
        self.n_answered += 1
        self.n_candidates += len(hits)
        probability = float(hits.numbers("probability")[0]) if "probability" in hits.columns else math.nan
        if not math.isfinite(probability):
            self.n_without_probability += 1
        else:
            self.probabilities[min(N_BINS - 1, max(0, int(probability * N_BINS)))] += 1
        return hits
