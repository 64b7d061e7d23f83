"""Hits, re-ranked by what the fragments of each candidate explain."""

import dataclasses
import math

import numpy as np

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.peaks import Peaks, prepare_peaks
from specbridge_tools.fragmentation.scoring import fuse
from specbridge_tools.fragmentation.workers import score_in_order
from specbridge_tools.search.hits import Hits

ADDED = ("cosine", "fragment_score", "explained_intensity")
_DECIMALS = 5
_REQUIRED = ("rank", "score", "smiles", "adduct")


@dataclasses.dataclass(frozen=True)
class _Query:
    """The rows of one query, their cosines, and for each hypothesis of the adduct the peaks and the rows to score."""

    hits: Hits
    cosine: np.ndarray
    rows: dict[str, list[int]]
    peaks: dict[str, Peaks]


@dataclasses.dataclass(frozen=True)
class Reranked:
    """The rows of one query, re-ranked, and the peaks that they were scored with, by adduct as the rows name it."""

    hits: Hits
    peaks: dict[str, Peaks]


def rerank_hits(hits, spectra, ranker, *, ranker_path=None, top=50, threads=1):
    """Yield each query `Reranked`, in the order given.

    hits     `Hits` of each query, e.g. `search.hits.read_hits`
    spectra  the `Spectrum`s, in the same order; those without hits are passed over
    top      how many of the candidates with the highest cosine are scored anew, 0 for all; the others follow them
    threads  processes; those beyond one read the ranker at `ranker_path` (None: the one that ships)

    `score` becomes the fused score, beside it stand `cosine`, `fragment_score` and `explained_intensity`; `probability`
    is left empty, since it belonged to the cosine. Queries without a candidate pass through. Raises `DataError` where
    the spectrum of a query does not follow.
    """
    tasks = _tasks(hits, iter(spectra), top)
    for query, scores in score_in_order(tasks, ranker, ranker_path, threads=threads):
        yield Reranked(_reranked(query, scores, ranker), query.peaks)


def output_columns(columns):
    """Columns of a re-ranked table: the added ones stand behind `score`."""
    kept = [name for name in columns if name not in ADDED]
    position = kept.index("score") + 1
    return (*kept[:position], *ADDED, *kept[position:])


def _tasks(hits, spectra, top):
    for one in hits:
        if not one.n_rows:
            yield _Query(one, np.zeros(0), {}, {}), []
            continue
        missing = [name for name in _REQUIRED if name not in one.columns]
        if missing:
            raise DataError(f"hits without column {', '.join(missing)}", advice="sb-query writes them")
        spectrum = find_spectrum(spectra, one)
        cosine = one.numbers("cosine" if "cosine" in one.columns else "score")
        if np.isnan(cosine).any():
            raise DataError(f"query {one.query_id} has candidates without a score")
        rows = _rows_by_adduct(one, cosine, top)
        peaks = {adduct: prepare_peaks(spectrum, adduct or None) for adduct in rows}
        smiles = one.column("smiles")
        parts = [(peaks[adduct], [smiles[row] for row in chosen]) for adduct, chosen in rows.items()]
        yield _Query(one, cosine, rows, peaks), parts


def _rows_by_adduct(hits, cosine, top):
    """{adduct: rows} of the `top` candidates by cosine, with those that tie with the last of them; all where 0."""
    least = np.sort(cosine)[-top] if 0 < top < len(cosine) else -np.inf
    rows = {}
    for row, adduct in enumerate(hits.column("adduct")):
        if cosine[row] >= least:
            rows.setdefault(adduct, []).append(row)
    return rows


def find_spectrum(spectra, hits):
    """The next spectrum of an iterator that is the query of `hits`; raises `DataError` when there is none."""
    for spectrum in spectra:
        if spectrum.id == hits.query_id and (not hits.record or spectrum.record in (0, hits.record)):
            return spectrum
    raise DataError(
        f"query {hits.query_id!r} of the hits is not among the spectra, or not in the order of the hits",
        advice="give the file that sb-query has read",
    )


def _reranked(query, scores, ranker):
    hits, n = query.hits, query.hits.n_rows
    columns = output_columns(hits.columns)
    if not n:
        return Hits(columns, [_row(hits, 0, columns, {})])
    fragment_score, explained = np.full(n, np.nan), np.full(n, np.nan)
    chosen = {row for rows in query.rows.values() for row in rows}
    for rows, part in zip(query.rows.values(), scores, strict=True):
        fragment_score[rows], explained[rows] = part.fragment_score, part.explained_intensity
    # sums of the same numbers in another order differ in their last digits: these must not decide
    score = np.round(fuse(ranker, query.cosine, fragment_score), _DECIMALS)
    keys, cosines = hits.column("inchikey14"), hits.column("cosine" if "cosine" in hits.columns else "score")
    order = sorted(range(n), key=lambda row: (-score[row], row not in chosen, keys[row]))
    new = {
        row: {
            "rank": str(1 + int((score > score[row]).sum())),
            "score": _text(score[row]),
            "probability": "",
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


def _text(value):
    return "" if math.isnan(value) else f"{value:.9g}"
