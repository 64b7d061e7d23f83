"""Which candidates are re-ranked, by what, and which of them are reported."""

from __future__ import annotations

import dataclasses
import os
from typing import Literal, TypeAlias

from specbridge_tools.constants import OPEN_RERANK
from specbridge_tools.errors import UsageError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import find_ranker
from specbridge_tools.hits.hits import Hits, above_probability
from specbridge_tools.hits.prior import Prior
from specbridge_tools.search.queries.source import QuerySource
from specbridge_tools.search.search import SearchOptions

First: TypeAlias = int | Literal["all"] | None  # how many candidates of a query, None where nothing was said


def how_many(first: First, options: SearchOptions) -> int:
    """How many candidates are scored, 0 for all."""
    if first is None or first == "all":
        return OPEN_RERANK if options.mode == "open" else 0
    return first


def ranker_for(
    source: QuerySource, model: str | os.PathLike[str] | None, first: First, options: SearchOptions
) -> Ranker | None:
    """The ranker that suits spectra and model, or None for no re-ranking."""
    if first == 0 or (first is None and source.holds_embeddings):
        if options.coverage is not None:
            raise UsageError("answer sets need re-ranked candidates", advice="give the spectra, and no --rerank 0")
        return None
    if source.holds_embeddings:
        raise UsageError("spectrum embeddings have no peaks to re-rank by", advice="give the spectra, or --rerank 0")
    ranker = find_ranker(model)
    if ranker is None and (first is not None or options.coverage is not None):
        advice = "use the model that ships, or --rerank 0"
        raise UsageError("the model holds no ranker", where=model, advice=advice)
    return ranker


def before_ranking(options: SearchOptions, first: int, *, reranked: bool, prior: Prior | None) -> SearchOptions:
    """What is to be found, so that the lists that come out are as `options` want them: with a prior all of it.

    Raises:
        UsageError: With a prior in mode open, whose lists are never complete.
    """
    if prior is not None and options.mode == "open":
        raise UsageError("a prior needs complete lists", advice="search by mass or formula, or leave --prior out")
    if not reranked:
        return options if prior is None else dataclasses.replace(options, top=0)
    top = options.top and first and max(options.top, first)
    top = top if prior is None else 0
    return dataclasses.replace(options, top=top, with_ties=True, min_probability=None)


def reported(hits: Hits, options: SearchOptions) -> Hits:
    """What of the re-ranked hits of a query is wanted."""
    if options.coverage is None:
        hits = hits.take(slice(0, options.top or None))
    return hits if options.min_probability is None else above_probability(hits, options.min_probability)
