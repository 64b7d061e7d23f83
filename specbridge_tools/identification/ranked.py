"""Hits, ranked anew by all that is known of their candidates."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from specbridge_tools.errors import UsageError
from specbridge_tools.hits.hits import (
    COLUMNS,
    IF_LISTED,
    REPAIRED,
    USI,
    Column,
    Hits,
    ranked_columns,
    reranked_columns,
    with_misfit,
)
from specbridge_tools.identification.references import Referee
from specbridge_tools.identification.rerank import peaks_of
from specbridge_tools.ranking.evidence import OWN, REFERENCE, Evidence, QueryConditions
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.ranking.ranking_file import find_ranking
from specbridge_tools.search.candidates.ranking import ranks_in
from specbridge_tools.search.queries.source import QuerySource
from specbridge_tools.search.search import SearchOptions


def rank_by_all(
    queries: Iterable[Hits], ranking: Ranking | None, *, first: int = 0, coverage: float | None = None
) -> Iterator[Hits]:
    """Yield the hits of each query, ranked by all evidence, in the order given.

    `score` becomes that of the ranking, and `probability` is stated anew, with `probability_if_listed` behind it. This
    needs all candidates that were found, and what reference spectra say of them, since the ranking compares a candidate
    with its list: other hits stay as they are.

    Args:
        queries: Re-ranked hits that hold their spectra.
        ranking: Scores; None changes nothing.
        first: How many candidates of a query were re-ranked, 0 for all: only then are lists complete. The column of
            `probability_if_listed` is there all the same.
        coverage: Keep only as many candidates as hold the truth in this share of cases, if it is listed.
    """
    for hits in queries:
        yield hits if ranking is None else _ranked(hits, ranking, coverage, is_whole=first == 0 and is_complete(hits))


def ranking_for(
    model: str | os.PathLike[str] | None, first: int, options: SearchOptions, referee: Referee | None
) -> Ranking | None:
    """The ranking of a model (None: the one that ships), None where there are no reference spectra.

    Raises:
        UsageError: Where answer sets are wanted, and there is none or not all candidates are re-ranked (`first` 0).
    """
    ranking = find_ranking(model) if referee is not None else None
    if options.coverage is not None and (ranking is None or first):
        message = "answer sets need a model with a ranking, reference spectra, and complete lists"
        advice = "use the model and the reference that ship, search by mass or formula, and re-rank all candidates"
        raise UsageError(message, advice=advice)
    return ranking


def columns_with(columns: Sequence[str], *, referee: Referee | None, ranking: Ranking | None) -> tuple[str, ...]:
    """The columns of a table whose hits are re-ranked, with reference spectra and by a ranking where there are any."""
    reranked = reranked_columns(columns, with_reference=referee is not None)
    return reranked if ranking is None else ranked_columns(reranked)


def with_columns_of(
    hits: Iterator[Hits], source: QuerySource, options: SearchOptions
) -> tuple[Iterator[Hits], tuple[str, ...]]:
    """The hits of a search with what their source adds, and their columns.

    Raises:
        UsageError: Isotope peaks are wanted of spectrum embeddings, which have none.
    """
    if options.isotopes is not None and source.holds_embeddings:
        raise UsageError(
            "spectrum embeddings have no isotope peaks", advice="give the spectra, or leave --isotopes out"
        )
    known = COLUMNS if options.isotopes is None else with_misfit(COLUMNS)
    columns = (*known, *([REPAIRED] if source.reading.repair else []), *([USI] if source.names_usi else []))
    return (hits if columns == COLUMNS else (dataclasses.replace(query, columns=columns) for query in hits)), columns


def evidence_of(hits: Hits) -> Evidence:
    """The evidence of re-ranked hits that hold their spectra, and what reference spectra say."""
    values = {kind: hits.numbers(kind) for kind in OWN}
    values |= {kind: np.asarray(hits.candidates[kind], np.float64) for kind in REFERENCE}
    return Evidence(values, hits.column("formula"), conditions_of(hits))


def conditions_of(hits: Hits) -> QueryConditions:
    """What is known of a query with candidates, as ions of the first one's adduct."""
    peaks = peaks_of(hits, hits.column("adduct")[0])
    return QueryConditions(len(peaks), float(np.mean([len(one.mz) for one in peaks])))


def is_complete(hits: Hits) -> bool:
    """Whether hits hold all candidates that were found, and at least one, with all evidence and probabilities."""
    has_all = bool(len(hits)) and len(hits) >= (hits.n_candidates or 0) and REFERENCE[0] in hits.candidates
    return has_all and bool(hits.value("probability"))


def _ranked(hits: Hits, ranking: Ranking, coverage: float | None, *, is_whole: bool) -> Hits:
    columns = ranked_columns(hits.columns)
    if not is_whole:
        unknown = np.full(len(hits), np.nan)
        return dataclasses.replace(hits, columns=columns, candidates={**hits.candidates, IF_LISTED: unknown})
    scored = ranking.score(evidence_of(hits))
    score, probability, if_listed = scored.score, ranking.probability(scored), ranking.probability_if_listed(scored)
    new: dict[str, Column] = {"score": score, "probability": probability, IF_LISTED: if_listed}
    keys = hits.column("inchikey14")
    order = sorted(range(len(hits)), key=lambda row: (-score[row], keys[row]))
    new["rank"] = ranks_in(order, score)
    if coverage is not None:
        members = ranking.answer_set(scored, coverage)
        order = [row for row in order if members[row]]
    return dataclasses.replace(hits, columns=columns, candidates={**hits.candidates, **new}).take(order)
