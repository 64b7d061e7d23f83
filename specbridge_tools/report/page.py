"""The hits of many spectra as one HTML page for people, which needs neither network nor scripts."""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, TextIO

from specbridge_tools.errors import UsageError
from specbridge_tools.evaluation.truth import TruthTable
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.table import read_hits
from specbridge_tools.hits.with_spectra import with_groups, with_spectra
from specbridge_tools.progress import SilentProgress
from specbridge_tools.provenance import CREATED_BY
from specbridge_tools.records import Tally
from specbridge_tools.reference.accessions import Accessions
from specbridge_tools.report.candidates import candidate_table
from specbridge_tools.report.markup import Markup, element, joined
from specbridge_tools.report.overview import overview_row, overview_table, summary_section
from specbridge_tools.report.references import reference_section
from specbridge_tools.report.spectra import spectrum_pictures
from specbridge_tools.report.summary import Summary
from specbridge_tools.report.verdicts import Verdicts
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import Source

_STYLE = """
body { font-family: sans-serif; font-size: 14px; margin: 2em auto; max-width: 1100px; }
table { border-collapse: collapse; margin: 0.5em 0; }
th, td { border: 1px solid #ccc; vertical-align: top; }
td.long { overflow-wrap: anywhere; }
th { background: #eee; text-align: left; }
tr.true { background: #e6f4e6; }
h2 { border-top: 2px solid #888; margin-top: 2em; padding-top: 0.5em; }
img { max-width: 100%; }
"""
_COLUMNS = (
    ("score", "how near spectrum and molecule lie; after re-ranking, a weighted sum of that (cosine) and of the "
     "fragment score. Compare it within a query, never between queries."),
    ("probability", "how probable it is that this candidate is the right one, calibrated on spectra that took no part "
     "in training. It allows for the case that the right molecule is not among the candidates."),
    ("explained intensity", "share of the spectrum's intensity that fragments of the candidate explain, 0 to 1."),
    ("reference", "similarity to the reference spectrum that speaks most for the candidate, 0 to 1."),
    ("analog", "similarity to the spectrum of a related molecule, times that of the molecules, 0 to 1."),
    ("error", "deviation of the spectrum's neutral mass from that of the molecule; it takes no part in the score."),
)  # fmt: skip
_CAUTION = (
    "A candidate is a hypothesis, which a reference standard has to confirm. Only molecules that were searched can be "
    "found; stereoisomers are one molecule, and isomers that fragment alike are not told apart."
)


def write_report(
    hits: BinaryIO,
    stream: TextIO,
    *,
    spectra: Sequence[Source] = (),
    truths: TruthTable | None = None,
    ranker: Ranker | None = None,
    accessions: Accessions | None = None,
    queries: int = 100,
    top: int = 5,
    group_by: str | None = None,
    reading: Reading = DEFAULT_READING,
    tally: Tally,
    display: SilentProgress,
) -> None:
    """Read a hits table and write the page; memory grows with the number of queries only for `truths`.

    Args:
        hits: The table, which is read more than once.
        stream: An open text file.
        spectra: What was searched, to be drawn: none, or one source for each part whose hits were merged, in order.
        truths: Of the queries.
        ranker: Says which peaks fragments explain.
        accessions: The reference spectra that hits name, to be drawn; None for none.
        queries: How many are shown, the first ones; 0 for all.
        top: How many candidates of each.
        group_by: Field of the spectra's metadata that names groups of spectra, where these are the queries.
        reading: How the spectra are read.
        tally: Of the queries: all are read, those shown are written.
        display: Shows the progress.
    """
    summary, verdicts = Summary(), None
    with _queries(hits) as every:
        counted = map(summary.add, every)
        if truths is not None:
            verdicts = Verdicts(truths, counted)
        collections.deque(counted, maxlen=0)
    tally.n_read += summary.n_queries
    n_drawn = min(queries or summary.n_queries, summary.n_queries)
    _write_head(stream)
    stream.write(summary_section(summary, n_drawn=n_drawn, accuracy=verdicts.accuracy if verdicts else ()))
    stream.write(element("h2", "Queries"))
    with _queries(hits, n_drawn) as drawn:
        lines = (overview_row(i, query, _verdict(verdicts, query)[1]) for i, query in enumerate(drawn, start=1))
        stream.writelines(overview_table(lines))
    with _queries(hits, n_drawn) as drawn, _with_spectra(drawn, spectra, group_by, reading) as complete:
        for number, query in enumerate(complete, start=1):
            stream.write(_query_section(number, query, ranker, accessions, top, *_verdict(verdicts, query)))
            tally.n_written += 1
            display.advance()
    _write_foot(stream)


def spectra_of_parts(sources: Iterable[Source], *, reading: Reading = DEFAULT_READING) -> Iterator[Spectrum]:
    """Yield the usable spectra of several files, numbered on from file to file as `sb-merge` numbers hits."""
    before = 0
    for source in sources:
        last = 0
        for record in read_spectra(source, reading=reading):
            last = max(last, record.record)
            if isinstance(record, Spectrum):
                yield dataclasses.replace(record, record=record.record + before) if before else record
        before += last


@contextlib.contextmanager
def _queries(hits: BinaryIO, n: int | None = None) -> Iterator[Iterator[Hits]]:
    """Yield the hits of the first `n` queries of a file, all of them for None, from its start."""
    hits.seek(0)
    with contextlib.closing(read_hits(hits)) as every:
        yield itertools.islice(every, n)


@contextlib.contextmanager
def _with_spectra(
    hits: Iterable[Hits], sources: Sequence[Source], group_by: str | None, reading: Reading
) -> Iterator[Iterable[Hits]]:
    """Yield the hits, with their spectra where there are `sources`."""
    if not sources:
        yield hits
    elif group_by is None:
        with open_query_source(spectra_of_parts(sources, reading=reading)) as source:
            yield with_spectra(hits, source)
    elif len(sources) > 1:
        raise UsageError("groups of spectra can be drawn from one file only", advice="sb-merge makes one of several")
    else:
        with open_query_source(sources[0], reading=reading, reread=True) as source:
            yield with_groups(hits, source, group_by)


def _verdict(verdicts: Verdicts | None, hits: Hits) -> tuple[str, str]:
    return ("", "") if verdicts is None else verdicts.find(hits)


def _query_section(
    number: int, hits: Hits, ranker: Ranker | None, accessions: Accessions | None, top: int, truth: str, verdict: str
) -> Markup:
    parts = [element("h2", hits.query_id, id=f"query-{number}")]
    if verdict:
        parts.append(element("p", verdict))
    if not len(hits):
        parts.append(element("p", f"No candidate: {hits.reason or 'no reason given'}."))
    else:
        parts += [candidate_table(hits, top=top, truth=truth), reference_section(hits, accessions)]
        parts.append(spectrum_pictures(hits, ranker))
    return joined(*parts, Markup("\n"))


def _write_head(stream: TextIO) -> None:
    # a sheet that is linked leaves no text behind where a server takes it out of the page
    style = "data:text/css;base64," + base64.b64encode(_STYLE.encode()).decode()
    head = (
        element("meta", charset="utf-8"),
        element("title", "Candidates"),
        element("link", rel="stylesheet", href=style),
    )
    stream.write(f'<!DOCTYPE html>\n<html lang="en">\n{element("head", *head)}\n<body>\n')


def _write_foot(stream: TextIO) -> None:
    rows = (element("tr", element("th", name), element("td", text)) for name, text in _COLUMNS)
    table = element("table", *rows, border=1, cellpadding=4, cellspacing=0)
    stream.write(joined(element("h2", "How to read this"), table, element("p", _CAUTION), element("p", CREATED_BY)))
    stream.write("\n</body>\n</html>\n")
