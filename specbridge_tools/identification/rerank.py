"""Hits, re-ranked by what the fragments of each candidate explain."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.fragmentation.network.ranker import Ranker, ScoreFusion
from specbridge_tools.fragmentation.network.scores import CandidateScorer, CandidateScores
from specbridge_tools.fragmentation.peaks.prepare import Peaks, prepare_peaks
from specbridge_tools.fragmentation.probability import fused_probabilities
from specbridge_tools.hits.hits import REFERENCE, Column, Hits, reranked_columns
from specbridge_tools.hits.prior import prior_of
from specbridge_tools.identification.references import Evidence, Referee
from specbridge_tools.search.candidates.ranking import ranks_in

_DECIMALS = 5
_REQUIRED = ("rank", "score", "smiles", "adduct")


@dataclasses.dataclass(frozen=True)
class _Task:
    """Hits to be re-ranked.

    Attributes:
        hits: As the search ranked them.
        cosine: (n,) of the candidates.
        rows_by_adduct: {adduct: candidates to be scored}.
        evidence: What reference spectra say, None without references.
    """

    hits: Hits
    cosine: NDArray[np.float64]
    rows_by_adduct: dict[str, list[int]]
    evidence: Evidence | None = None


def rerank(
    queries: Iterable[Hits], scorer: CandidateScorer, *, first: int = 0, referee: Referee | None = None
) -> Iterator[Hits]:
    """Yield the hits of each query, re-ranked, in the order given.

    `score` becomes the fused score; beside it stand `cosine`, `fragment_score` and `explained_intensity`. `probability`
    is that of the fused score, where the hits have one at all. Queries without a candidate pass through.

    Args:
        queries: Hits that hold their spectra.
        scorer: Scores the candidates.
        first: How many of the candidates with the highest cosine are scored, 0 for all; the others follow
            them, unless the referee speaks for them.
        referee: Knows the reference spectra, None without any: their columns are then left out.

    Raises:
        DataError: Where hits lack what is needed, or an adduct is unknown.
    """
    for task, scores in scorer.in_order(_tasks(queries, first, referee, scorer.ranker)):
        yield _reranked(task, scores, scorer.ranker, with_reference=referee is not None)


def _tasks(
    queries: Iterable[Hits], first: int, referee: Referee | None, ranker: Ranker
) -> Iterator[tuple[_Task, list[tuple[list[Peaks], list[str]]]]]:
    for hits in queries:
        if not len(hits):
            yield _Task(hits, np.zeros(0), {}), []
            continue
        if prior := prior_of(hits.columns):
            message = f"the hits were ranked with the prior {prior}"
            raise UsageError(message, advice="sb-query --prior re-ranks by itself; or search without it")
        missing = [name for name in _REQUIRED if name not in hits.columns]
        if missing:
            raise DataError(f"hits without column {', '.join(missing)}", advice="sb-query writes them")
        cosine = hits.numbers("cosine" if hits.is_reranked else "score")
        if np.isnan(cosine).any():
            raise DataError(f"query {hits.query_id} has candidates without a score")
        rows_by_adduct = _rows_by_adduct(hits, cosine, first)
        smiles = hits.column("smiles")
        parts = [(peaks_of(hits, adduct), [smiles[row] for row in rows]) for adduct, rows in rows_by_adduct.items()]
        evidence = None if referee is None else referee.evidence(hits, ranker)
        yield _Task(hits, cosine, rows_by_adduct, evidence), parts


def peaks_of(hits: Hits, adduct: str) -> list[Peaks]:
    """The peaks of the spectra of a query, as ions of an adduct ('' where it is unknown)."""
    return [prepare_peaks(spectrum, adduct or None) for spectrum in hits.spectra]


def _rows_by_adduct(hits: Hits, cosine: NDArray[np.float64], first: int) -> dict[str, list[int]]:
    """{adduct: rows} of the `first` candidates by cosine, with those that tie with the last of them; all where 0."""
    least = np.sort(cosine)[-first] if 0 < first < len(cosine) else -np.inf
    rows: dict[str, list[int]] = {}
    for row, adduct in enumerate(hits.column("adduct")):
        if cosine[row] >= least:
            rows.setdefault(adduct, []).append(row)
    return rows


def _reranked(task: _Task, scores: list[CandidateScores], ranker: Ranker, *, with_reference: bool) -> Hits:
    hits, n = task.hits, len(task.hits)
    fragment_score, explained = np.full(n, np.nan), np.full(n, np.nan)
    scored = np.zeros(n, bool)
    for rows, part in zip(task.rows_by_adduct.values(), scores, strict=True):
        fragment_score[rows], explained[rows], scored[rows] = part.fragment_score, part.explained_intensity, True
    # rounded, so that digits which mean nothing decide nothing
    fusion = ranker.fusion(len(hits.spectra))
    fused = fusion.fuse(task.cosine, fragment_score)
    if task.evidence is not None:
        fused, fusion = fused + task.evidence.contribution, _calibrated(fusion, task.evidence.calibration)
    score = np.round(fused, _DECIMALS)
    new: dict[str, Column] = {
        "score": score,
        "probability": fused_probabilities(hits, score, scored, fusion),
        "cosine": task.cosine,
        "fragment_score": fragment_score,
        "explained_intensity": explained,
        **({} if task.evidence is None else task.evidence.columns),
    }
    if with_reference and task.evidence is None:
        new |= {name: [] for name in REFERENCE}
    keys = hits.column("inchikey14") if n else []
    order = sorted(range(n), key=lambda row: (-score[row], not scored[row], keys[row]))
    columns = reranked_columns(hits.columns, with_reference=with_reference)
    new["rank"] = ranks_in(order, score)
    return dataclasses.replace(hits, columns=columns, candidates={**hits.candidates, **new}).take(order)


def _calibrated(fusion: ScoreFusion, calibration: Mapping[str, float] | None) -> ScoreFusion:
    """A fusion whose scores, if they are calibrated at all, mean what another calibration says."""
    if calibration is None or fusion.calibration is None:
        return fusion
    return dataclasses.replace(fusion, calibration={**fusion.calibration, **calibration})
