"""The upper part of the page: what all queries come to, and one line for each that is drawn."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from specbridge_tools.hits.hits import Hits
from specbridge_tools.hits.level import query_level
from specbridge_tools.report.markup import Child, Markup, element, joined
from specbridge_tools.report.references import reference_evidence
from specbridge_tools.report.structures import small_image
from specbridge_tools.report.summary import N_BINS, Summary
from specbridge_tools.report.table import fixed

_HEADINGS = (
    "structure",
    "query",
    "best candidate",
    "formula",
    "adduct",
    "score",
    "probability",
    "reference spectra",
    "level",
    "",
)
_LONG = (1, 2)


def summary_section(summary: Summary, *, n_drawn: int, accuracy: Sequence[str] = ()) -> Markup:
    """The head of the page: counts of all queries, lines on the accuracy, and the probabilities."""
    counts = [("queries", summary.n_queries), ("with candidates", summary.n_answered)]
    counts += [(f"without: {reason}", count) for reason, count in summary.reasons.most_common()]
    counts += [("candidates in the table of hits", summary.n_candidates)]
    drawn = "All are shown below." if n_drawn == summary.n_queries else f"The first {n_drawn} are shown below."
    parts = (
        element("p", drawn),
        element("p", f"The scores hold the prior {summary.prior}, the probabilities do not.") if summary.prior else "",
        element("table", *(_row("td", *pair) for pair in counts), border=1, cellpadding=4, cellspacing=0),
        _accuracy(accuracy),
        _probabilities(summary),
    )
    return joined(element("h1", f"Candidates for {summary.n_queries} queries"), element("div", *parts, class_="about"))


def _accuracy(lines: Sequence[str]) -> Markup:
    return joined(element("h2", "Accuracy"), *(element("p", line) for line in lines)) if lines else joined()


def _probabilities(summary: Summary) -> Markup:
    """How many best candidates have which probability, as a table with a bar in each row."""
    most = max(summary.probabilities)
    rows = [_row("th", "probability", "queries", "")]
    for i, count in enumerate(summary.probabilities):
        bar = element("meter", count, min=0, max=most, value=count) if count else ""
        rows.append(_row("td", f"{i / N_BINS:g} to {(i + 1) / N_BINS:g}", count, bar))
    rows.append(_row("td", "not stated", summary.n_without_probability, ""))
    table = element("table", *rows, border=1, cellpadding=4, cellspacing=0)
    return joined(element("h2", "Probability of the best candidates"), table)


def overview_table(rows: Iterable[Markup]) -> Iterator[str]:
    """Yield the pieces of a table of rows (`overview_row`), one after the other."""
    yield from ('<table border="1" cellpadding="4" cellspacing="0">\n', _row("th", *_HEADINGS, long=()), "\n")
    yield from (f"{row}\n" for row in rows)
    yield "</table>\n"


def overview_row(number: int, hits: Hits, verdict: str = "") -> Markup:
    """One line on a query, with a link to its section."""
    link = element("a", hits.query_id, href=f"#query-{number}")
    if not len(hits):
        return _row("td", "", link, hits.reason, "", "", "", "", "", query_level(hits), verdict, long=_LONG)
    score, probability = (
        fixed(hits.numbers(name)[0], 3) if name in hits.columns else "" for name in ("score", "probability")
    )
    best = hits.value("name") or hits.value("smiles") or hits.value("inchikey14")
    evidence = reference_evidence(hits, None)
    match = evidence.label if evidence else ""
    figures = (hits.value("formula"), hits.value("adduct"), score, probability, match, query_level(hits))
    return _row("td", small_image(hits.value("smiles")), link, best, *figures, verdict, long=_LONG)


def _row(kind: str, *cells: Child, long: Container[int] = (0, 1)) -> Markup:
    """A row of cells `th` or `td`, of which those at the places `long` may be long."""
    return element("tr", *(element(kind, cell, class_="long" if at in long else None) for at, cell in enumerate(cells)))
