"""The network of queries, their candidates, and the reference spectra that are evidence for these."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from specbridge_tools.export.result import Candidate, Result

CANDIDATE = "candidate"


@dataclasses.dataclass(frozen=True)
class Edge:
    """From a query to a candidate, or to a reference spectrum or molecule that is evidence for it.

    Attributes:
        target: InChIKey block of the candidate, or id of the reference.
        interaction: `candidate`, `reference` (a spectrum of the candidate itself) or `analog` (of a related molecule).
        weight: Probability of the candidate, or how alike the reference is; NaN for none.
        candidate: The one that it is about.
    """

    target: str
    interaction: str
    weight: float
    candidate: Candidate

    @property
    def is_evidence(self) -> bool:
        return self.interaction != CANDIDATE


def edges(result: Result) -> Iterator[Edge]:
    """Yield the edges of one query: each of its candidates, and behind it the evidence for it; none twice."""
    seen = set()
    for candidate in result.candidates:
        yield Edge(candidate.inchikey14, CANDIDATE, candidate.probability, candidate)
        for kind, (target, weight) in candidate.evidence.items():
            if (kind, target) not in seen:
                seen.add((kind, target))
                yield Edge(target, kind, weight, candidate)
