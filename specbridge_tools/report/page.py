"""The hits of many spectra as one HTML page for people, which needs no network.

All of it stands there in plain form, which is what is printed, and what servers show that clean foreign HTML. Scripts,
where they may run, hide that and show the same in a form that can be sorted, filtered, hovered and zoomed.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from specbridge_tools.report.candidates import NUMBERS, candidate_table
from specbridge_tools.report.document import foot, head, nonce_of
from specbridge_tools.report.levels import LEVEL_MEANINGS
from specbridge_tools.report.live_data import query_data
from specbridge_tools.report.markup import Markup, data_element, element, joined
from specbridge_tools.report.overview import overview_row, overview_table, summary_section
from specbridge_tools.report.references import reference_section
from specbridge_tools.report.spectra import explanations, spectrum_pictures
from specbridge_tools.report.structures import HEIGHT, WIDTH
from specbridge_tools.report.summary import Summary
from specbridge_tools.report.verdicts import Verdicts
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import Source

_COLUMNS = (
    ("score", "how near spectrum and molecule lie; after re-ranking, a weighted sum of that (cosine) and of the "
     "fragment score. Compare it within a query, never between queries."),
    ("probability", "how probable it is that this candidate is the right one, calibrated on spectra that took no part "
     "in training. It allows for the case that the right molecule is not among the candidates."),
    ("explained intensity", "share of the intensity of the peaks below the precursor that fragments of the candidate "
     "explain, 0 to 1."),
    ("reference", "similarity to the reference spectrum that speaks most for the candidate, 0 to 1."),
    ("analog", "similarity to the spectrum of a related molecule, times that of the molecules, 0 to 1."),
    ("level", "; ".join(f"{level}: {meaning}" for level, meaning in LEVEL_MEANINGS.items())
     + ". After Schymanski et al. 2014, doi:10.1021/es5002105, as far as spectra alone can say."),
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
    nonce = nonce_of(hits)
    stream.write(head(nonce))
    stream.write(data_element("data-page", _page_data(n_drawn, summary)))
    stream.write(Markup('\n<main id="report">\n'))
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
    stream.write(_explanation())
    stream.write(foot(nonce))


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
    explained = explanations(hits, ranker, top=top)
    data = query_data(hits, explained, accessions, top=top, truth=truth, verdict=verdict)
    parts = [element("h2", hits.query_id, id=f"query-{number}"), data_element("data-query", data)]
    if verdict:
        parts.append(element("p", verdict))
    if not len(hits):
        parts.append(element("p", f"No candidate: {hits.reason or 'no reason given'}."))
    else:
        parts += [candidate_table(hits, top=top, truth=truth), reference_section(hits, accessions)]
        parts.append(spectrum_pictures(hits, explained))
    return joined(element("section", *parts, class_="query"), Markup("\n"))


def _page_data(n_drawn: int, summary: Summary) -> Mapping[str, object]:
    headings = {name: heading for name, (heading, _) in NUMBERS.items()}
    digits = {name: places for name, (_, places) in NUMBERS.items()}
    return {
        "queries": summary.n_queries,
        "drawn": n_drawn,
        "headings": headings,
        "digits": digits,
        "help": dict(_COLUMNS),
        "levels": LEVEL_MEANINGS,
        "size": [WIDTH, HEIGHT],
    }


def _explanation() -> Markup:
    rows = (element("tr", element("th", name), element("td", text)) for name, text in _COLUMNS)
    table = element("table", *rows, border=1, cellpadding=4, cellspacing=0)
    parts = (element("h2", "How to read this"), table, element("p", _CAUTION), element("p", CREATED_BY))
    return joined(element("div", *parts, class_="about"), Markup("\n</main>\n"))
