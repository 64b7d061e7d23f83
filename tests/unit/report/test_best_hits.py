"""The table that a search ends with on a terminal."""

import io

import pytest

from specbridge_tools.hits.hits import COLUMNS
from specbridge_tools.hits.table import QueryRows, parse_hits
from specbridge_tools.report.best_hits import MOST_ROWS, BestHits, best_hits


class Terminal(io.StringIO):
    def isatty(self):
        return True


def hits(**values):
    row = {"query_id": "q1", "rank": "1", "score": "0.51236", "inchikey14": "A" * 14} | values
    return parse_hits(QueryRows(COLUMNS, [tuple(row.get(name, "") for name in COLUMNS)]))


NAMED = hits(name="Caffeine", smiles="C", formula="C8H10N4O2", adduct="[M+H]+", probability="0.876")
WITHOUT = hits(query_id="q2", rank="", score="", inchikey14="", reason="no candidate within 10 ppm")


@pytest.fixture(autouse=True)
def width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")


def shown(*queries):
    stream = Terminal()
    best = BestHits(stream)
    assert list(best.noted(queries)) == list(queries)
    best.show()
    return [line.split() for line in stream.getvalue().splitlines()]


def test_a_row_a_query():
    lines = shown(NAMED, WITHOUT, hits(query_id="q3", smiles="C" * 50))
    assert [line for line in lines if line and line[0].startswith("q")] == [
        ["q1", "Caffeine", "C8H10N4O2", "[M+H]+", "0.512", "0.88"],
        ["q2", "(no", "candidate", "within", "10", "ppm)"],
        ["q3", "C" * 43 + "…", "0.512"],
    ]


def test_a_narrow_terminal_cuts_ids_and_names(monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    lines = shown(hits(query_id="MSBNK-Antwerp_Univ-METOX_P101501_F638", name="N-methyl" * 9, adduct="[M-H2O+H]+"))
    assert ["MSBNK-Antwerp_…", "N-methylN-meth…", "[M-H2O+H]+", "0.512"] in lines


def test_many_queries_are_cut():
    lines = shown(*[NAMED] * (MOST_ROWS + 3))
    assert sum(line[:1] == ["q1"] for line in lines) == MOST_ROWS
    assert ["...", "and", "3", "queries", "more"] in lines


def test_text_of_files_cannot_change_the_terminal():
    stream = Terminal()
    best = BestHits(stream)
    list(best.noted([hits(name="\x1b[2J[red]x")]))
    best.show()
    assert "\\x1b[2J[red]x" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue()


@pytest.mark.parametrize(
    ("output", "quiet", "stdout", "stderr", "is_shown"),
    [
        ("h.tsv", False, io.StringIO, Terminal, True),
        ("-", False, Terminal, Terminal, True),
        ("-", False, io.StringIO, Terminal, False),
        ("h.tsv", True, Terminal, Terminal, False),
        ("h.tsv", False, Terminal, io.StringIO, False),
    ],
)
def test_it_is_for_a_terminal_alone(monkeypatch, output, quiet, stdout, stderr, is_shown):
    monkeypatch.setattr("sys.stdout", stdout())
    monkeypatch.setattr("sys.stderr", written := stderr())
    best = best_hits(output, quiet=quiet)
    list(best.noted([NAMED]))
    best.show()
    assert ("Caffeine" in written.getvalue()) == is_shown
