"""Hits that were ranked with a prior: not to be compared with others unless one knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from specbridge_tools.errors import MismatchError
from specbridge_tools.evaluation.evaluate import Metric
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.prior import prior_of

_OF_THE_HITS = ("score", "probability")


class Priors:
    """Notes the prior of hits that pass.

    Args:
        name: Of their table, for messages.
        allowed: Whether they may have one.
    """

    def __init__(self, name: str, *, allowed: bool) -> None:
        self._name = name
        self._allowed = allowed
        self._prior = ""

    def noted(self, queries: Iterable[Hits]) -> Iterator[Hits]:
        """Yield the hits of each query on.

        Raises:
            MismatchError: They have a prior, and must not.
        """
        for hits in queries:
            self._prior = prior_of(hits.columns)
            if self._prior and not self._allowed:
                message = f"{self._name} was ranked with the prior {self._prior}"
                advice = "search without --prior; or give --with-prior, and compare it with nothing that has none"
                raise MismatchError(message, advice=advice)
            yield hits

    def named(self, metrics: Iterable[Metric]) -> list[Metric]:
        """The metrics, of which those of the ranking say in their notes that it has a prior."""
        if not self._prior:
            return list(metrics)
        note = f"with the prior {self._prior}"
        return [
            dataclasses.replace(metric, note=f"{note}; {metric.note}" if metric.note else note)
            if metric.ranking in _OF_THE_HITS
            else metric
            for metric in metrics
        ]
