"""The upper part of the page: what all queries come to, and one line for each that is drawn."""

from specbridge_tools.report.candidates import fixed
from specbridge_tools.report.markup import element, joined
from specbridge_tools.report.summary import N_BINS

_HEADINGS = ("query", "best candidate", "formula", "adduct", "score", "probability", "")


def summary_section(summary, *, n_drawn, accuracy=()):
    """`Summary`, lines on the accuracy -> what stands above everything else."""
    counts = [("queries", summary.n_queries), ("with candidates", summary.n_answered)]
    counts += [(f"without: {reason}", count) for reason, count in summary.reasons.most_common()]
    counts += [("candidates in the table of hits", summary.n_candidates)]
    drawn = "All are shown below." if n_drawn == summary.n_queries else f"The first {n_drawn} are shown below."
    return joined(
        element("h1", f"Candidates for {summary.n_queries} queries"),
        element("p", drawn),
        element("table", *(_row("td", *pair) for pair in counts), border=1, cellpadding=4, cellspacing=0),
        _accuracy(accuracy),
        _probabilities(summary),
    )


def _accuracy(lines):
    return joined(element("h2", "Accuracy"), *(element("p", line) for line in lines)) if lines else ""


def _probabilities(summary):
    """How many best candidates state which probability, as a table with a bar in each row."""
    most = max(summary.probabilities)
    rows = [_row("th", "probability", "queries", "")]
    for i, count in enumerate(summary.probabilities):
        bar = element("meter", count, min=0, max=most, value=count) if count else ""
        rows.append(_row("td", f"{i / N_BINS:g} to {(i + 1) / N_BINS:g}", count, bar))
    rows.append(_row("td", "not stated", summary.not_stated, ""))
    table = element("table", *rows, border=1, cellpadding=4, cellspacing=0)
    return joined(element("h2", "Probability of the best candidates"), table)


def overview_table(rows):
    """Rows of `overview_row` -> the pieces of a table, one after the other."""
    yield from ('<table border="1" cellpadding="4" cellspacing="0">\n', _row("th", *_HEADINGS), "\n")
    yield from (f"{row}\n" for row in rows)
    yield "</table>\n"


def overview_row(number, hits, verdict=""):
    """One line on a query, which leads to its section."""
    link = element("a", hits.query_id, href=f"#query-{number}")
    if not hits.n_rows:
        return _row("td", link, hits.reason, "", "", "", "", verdict)
    score, probability = (
        fixed(hits.numbers(name)[0], 3) if name in hits.columns else "" for name in ("score", "probability")
    )
    best = hits.value("name") or hits.value("smiles") or hits.value("inchikey14")
    return _row("td", link, best, hits.value("formula"), hits.value("adduct"), score, probability, verdict)


def _row(kind, *cells):
    """A row of a table; its first two cells are those that may be long."""
    return element("tr", *(element(kind, cell, class_="long" if at < 2 else None) for at, cell in enumerate(cells)))
