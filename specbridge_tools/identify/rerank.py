"""Hits, re-ranked by what the fragments of each candidate explain."""

import dataclasses
import math

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.network.scores import score_in_order
from specbridge_tools.fragmentation.peaks.prepare import Peaks, prepare_peaks
from specbridge_tools.fragmentation.probability import fused_probabilities
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.rows import Answer

ADDED = ("cosine", "fragment_score", "explained_intensity")
_DECIMALS = 5
_REQUIRED = ("rank", "score", "smiles", "adduct")


@dataclasses.dataclass(frozen=True)
class _Query:
    """The rows of one query, the number of its spectra, the cosines, and by adduct the rows to score and the peaks."""

    hits: Hits
    n_spectra: int
    cosine: np.ndarray
    rows: dict[str, list[int]]
    peaks: dict[str, list[Peaks]]


@dataclasses.dataclass(frozen=True)
class Reranked:
    """The rows of one query, re-ranked, and the peaks of its spectra, by adduct as the rows name it."""

    hits: Hits
    peaks: dict[str, list[Peaks]]


def rerank(answers, ranker, *, top=50, threads=1):
    """Yield each query `Reranked`, in the order given.

    answers  `Answer`s that hold their spectra: one, or all of a group
    top      how many of the candidates with the highest cosine are scored anew, 0 for all; the others follow them
    threads  processes

    `score` becomes the fused score, beside it stand `cosine`, `fragment_score` and `explained_intensity`;
    `probability` is that of the fused score, where the hits have one at all. Queries without a candidate pass through.
    """
    for query, scores in score_in_order(_tasks(answers, top), ranker, threads=threads):
        yield Reranked(_reranked(query, scores, ranker), query.peaks)


def output_columns(columns):
    """Columns of a re-ranked table: the added ones stand behind `score`."""
    kept = [name for name in columns if name not in ADDED]
    position = kept.index("score") + 1
    return (*kept[:position], *ADDED, *kept[position:])


def _tasks(answers: list[Answer], top):
    for answer in answers:
        hits = answer.hits
        if not hits.n_rows:
            yield _Query(hits, 0, np.zeros(0), {}, {}), []
            continue
        missing = [name for name in _REQUIRED if name not in hits.columns]
        if missing:
            raise DataError(f"hits without column {', '.join(missing)}", advice="sb-query writes them")
        cosine = hits.numbers(_cosine_column(hits))
        if np.isnan(cosine).any():
            raise DataError(f"query {hits.query_id} has candidates without a score")
        rows = _rows_by_adduct(hits, cosine, top)
        peaks = {adduct: [prepare_peaks(one, adduct or None) for one in answer.spectra] for adduct in rows}
        smiles = hits.column("smiles")
        parts = [(peaks[adduct], [smiles[row] for row in chosen]) for adduct, chosen in rows.items()]
        yield _Query(hits, len(answer.spectra), cosine, rows, peaks), parts


def _cosine_column(hits):
    return "cosine" if "cosine" in hits.columns else "score"


def _rows_by_adduct(hits, cosine, top):
    """{adduct: rows} of the `top` candidates by cosine, with those that tie with the last of them; all where 0."""
    least = np.sort(cosine)[-top] if 0 < top < len(cosine) else -np.inf
    rows = {}
    for row, adduct in enumerate(hits.column("adduct")):
        if cosine[row] >= least:
            rows.setdefault(adduct, []).append(row)
    return rows


def _reranked(query, scores, ranker):
    hits, n = query.hits, query.hits.n_rows
    columns = output_columns(hits.columns)
    if not n:
        return Hits(columns, [_row(hits, 0, columns, {})])
    fragment_score, explained = np.full(n, np.nan), np.full(n, np.nan)
    chosen = np.zeros(n, bool)
    for rows, part in zip(query.rows.values(), scores, strict=True):
        fragment_score[rows], explained[rows], chosen[rows] = part.fragment_score, part.explained_intensity, True
    # sums of the same numbers in another order differ in their last digits: these must not decide
    fusion = ranker.fusion(query.n_spectra)
    score = np.round(fusion.fuse(query.cosine, fragment_score), _DECIMALS)
    probability = fused_probabilities(hits, score, chosen, fusion)
    keys, cosines = hits.column("inchikey14"), hits.column(_cosine_column(hits))
    order = sorted(range(n), key=lambda row: (-score[row], not chosen[row], keys[row]))
    new = {
        row: {
            "rank": str(1 + int((score > score[row]).sum())),
            "score": _text(score[row]),
            "probability": _text(probability[row], 6),
            "cosine": cosines[row],
            "fragment_score": _text(fragment_score[row]),
            "explained_intensity": _text(explained[row]),
        }
        for row in order
    }
    return Hits(columns, [_row(hits, row, columns, new[row]) for row in order])


def _row(hits, row, columns, new):
    old = dict(zip(hits.columns, hits.rows[row], strict=True))
    return tuple(new.get(name, old.get(name, "")) for name in columns)


def _text(value, digits=9):
    return "" if math.isnan(value) else f"{value:.{digits}g}"
