"""What all queries of a hits table come to, read in one pass."""

import collections
import dataclasses
import math

N_BINS = 10


@dataclasses.dataclass
class Summary:
    """Counts over queries.

    reasons        why a query has no candidate -> how many
    probabilities  (N_BINS,) best candidates by their probability, from 0 to 1
    not_stated     answered queries without a probability
    """

    n_queries: int = 0
    n_answered: int = 0
    n_candidates: int = 0
    reasons: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    probabilities: list[int] = dataclasses.field(default_factory=lambda: [0] * N_BINS)
    not_stated: int = 0

    def add(self, hits):
        """Count one query (`Hits`), and return it."""
        self.n_queries += 1
        if not hits.n_rows:
            self.reasons[hits.reason or "no reason given"] += 1
            return hits
        self.n_answered += 1
        self.n_candidates += hits.n_rows
        probability = float(hits.numbers("probability")[0]) if "probability" in hits.columns else math.nan
        if not math.isfinite(probability):
            self.not_stated += 1
        else:
            self.probabilities[min(N_BINS - 1, max(0, int(probability * N_BINS)))] += 1
        return hits
