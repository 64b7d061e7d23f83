"""Which peaks of its spectra the candidates of a query explain, for people and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TextIO

from specbridge_tools.fragmentation.network.explain import FIELDS, Explanation, explain
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.hits.hits import Hits
from specbridge_tools.identification.rerank import peaks_of

COLUMNS = ("query_id", "rank", "inchikey14", "smiles", "spectrum", *FIELDS)


def explained_peaks(hits: Hits, ranker: Ranker, *, candidate: int = 0) -> Iterator[tuple[str, Explanation]]:
    """Yield (spectrum id, `Explanation`) of each peak that fragments of a candidate explain.

    Args:
        hits: They must hold their spectra.
        ranker: Says how probable each fragment is.
        candidate: Which one, from 0.
    """
    smiles = hits.column("smiles")[candidate]
    for peaks in peaks_of(hits, hits.column("adduct")[candidate]):
        for explanation in explain(ranker, smiles, peaks):
            yield peaks.spectrum_id, explanation


class ExplainedPeakWriter:
    """Writes the explained peaks of the first candidates of each query to an open text file, TSV."""

    def __init__(self, stream: TextIO, ranker: Ranker, *, first: int) -> None:
        self._table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        self._table.writerow(COLUMNS)
        self._ranker = ranker
        self._first = first

    def write(self, hits: Hits) -> None:
        """Write the rows of one query; candidates without a fragment score have none."""
        for candidate in range(min(self._first, len(hits))):
            row = hits.printed(candidate)
            if not row["fragment_score"]:
                continue
            named = (hits.query_id, row["rank"], row["inchikey14"], row["smiles"])
            for spectrum_id, explanation in explained_peaks(hits, self._ranker, candidate=candidate):
                row_of_peak = (*named, spectrum_id, *(_text(getattr(explanation, field)) for field in FIELDS))
                self._table.writerow([text.replace("\r", " ") for text in row_of_peak])


def write_explained(queries: Iterable[Hits], writer: ExplainedPeakWriter) -> Iterator[Hits]:
    """Yield the hits of each query on, its explained peaks written."""
    for hits in queries:
        writer.write(hits)
        yield hits


def _text(value: float | int | str) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)
