"""Hits, ranked anew with what is known of molecules before any spectrum."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from specbridge_tools.errors import UsageError
from specbridge_tools.hits.hits import Column, Hits, prior_columns
from specbridge_tools.hits.prior import Prior
from specbridge_tools.molecules.counts import names_of_counts
from specbridge_tools.search.candidates.ranking import ranks_in

if TYPE_CHECKING:
    from specbridge_tools.search.index.reader import Index
    from specbridge_tools.search.multi_index import MultiIndex

_DECIMALS = 9


def with_prior(
    hits: Iterator[Hits], columns: tuple[str, ...], prior: Prior, *, index: Index | MultiIndex
) -> tuple[Iterator[Hits], tuple[str, ...]]:
    """The hits of a search, ranked anew with a prior, and their columns.

    Raises:
        UsageError: The molecules do not hold the counts.
    """
    if prior.source not in index.texts:
        carried = names_of_counts(index.texts)
        held = f"only {', '.join(carried)}" if carried else "none"
        advice = f"embed the molecules with sb-embed-mols --count {prior.count!r} and build the index again"
        raise UsageError(f"holds no counts {prior.count!r}, {held}", where=index.name, advice=advice)
    return rank_with_prior(hits, prior), prior_columns(columns, prior.column)


def rank_with_prior(queries: Iterable[Hits], prior: Prior) -> Iterator[Hits]:
    """Yield the hits of each query, which must be complete, with the prior in their score, ranked anew.

    Probabilities stay as they are: they were calibrated without a prior, and say what the spectrum says.
    """
    for hits in queries:
        columns = prior_columns(hits.columns, prior.column)
        if not len(hits):
            yield dataclasses.replace(hits, columns=columns, candidates={**hits.candidates, prior.column: []})
            continue
        counts = hits.candidates[prior.source]
        assert isinstance(counts, list)
        score = np.round(hits.numbers("score") + prior.contribution(counts), _DECIMALS)
        keys = hits.column("inchikey14")
        order = sorted(range(len(hits)), key=lambda row: (-score[row], keys[row]))
        new: dict[str, Column] = {"score": score, "rank": ranks_in(order, score), prior.column: counts}
        yield dataclasses.replace(hits, columns=columns, candidates={**hits.candidates, **new}).take(order)
