import io

import numpy as np
import pytest

from specbridge_tools.evaluation.candidates import CandidateList, TopHit
from specbridge_tools.evaluation.evaluate import evaluate
from specbridge_tools.evaluation.truth import Truth
from specbridge_tools.report.table import write_identified


def candidates(query_id, scores, truth_at, **best):
    score = np.array(scores, float)
    truth = Truth(query_id, "TRUTH" + query_id, 1, "[M+H]+", 200.0)
    return CandidateList(
        truth,
        np.arange(len(score)),
        score,
        np.zeros(len(score)),
        truth_at,
        len(score),
        TopHit(**best) if best else None,
    )


LISTS = [
    candidates("q1", [0.9, 0.1], 0, name="caffeine", formula="C8H10N4O2", score=0.9, probability=0.875),
    candidates("q2", [0.9, 0.1], 1, smiles="C[NH2+]:smile:[bold]", score=0.9, adduct="[M+Na]+"),
    candidates("q3", [0.5, 0.5, 0.1], 0, name="tied", score=0.5),
    candidates("q4", [0.5], -1, name="other", score=0.5),
    candidates("q5", [], -1),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def printed(stream, limit=9):
    write_identified(LISTS, evaluate(LISTS, resamples=10), stream, limit=limit)
    return stream.getvalue()


def rows(text):
    return {line.split()[0]: line.split() for line in text.splitlines() if line.strip().startswith("q")}


def test_each_query_has_its_row_and_verdict():
    found = {query: " ".join(cells) for query, cells in rows(printed(io.StringIO())).items()}
    assert found["q1"] == "q1 [M+H]+ caffeine C8H10N4O2 0.900 0.88 1 of 2 right"
    assert found["q2"] == "q2 [M+Na]+ C[NH2+]:smile:[bold] 0.900 2 of 2 wrong"
    assert found["q3"] == "q3 [M+H]+ tied 0.500 1-2 of 3 tied"
    assert found["q4"] == "q4 [M+H]+ other 0.500 - of 1 truth not listed"
    assert found["q5"] == "q5 [M+H]+ - of 0 no candidate"


def test_accuracy_stands_below_with_its_interval_and_the_baselines():
    lines = printed(io.StringIO()).splitlines()
    assert "5 spectra of 5 molecules" in lines
    (recall,) = [line for line in lines if line.startswith("recall@1 ")]
    assert recall.startswith("recall@1   30.0%  (95 % interval ")
    assert "; random 26.7%" in recall


def test_the_rest_of_a_long_list_is_counted():
    text = printed(io.StringIO(), limit=2)
    assert set(rows(text)) == {"query", "q1", "q2"}
    assert "... and 3 queries more" in text


def test_without_rows_only_the_accuracy():
    text = printed(io.StringIO(), limit=0)
    assert text.startswith("5 spectra of 5 molecules\n")


def test_no_escape_codes_unless_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in printed(io.StringIO())
    assert "\x1b[32mright" in printed(Terminal())


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_fits_the_terminal_and_keeps_the_verdict(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    table = [line for line in printed(Terminal()).splitlines() if line.strip()[:1] == "q"]
    assert all(len(line) <= width for line in table)
    assert [line.split()[-1] for line in table] == ["right", "wrong", "tied", "listed", "candidate"]
