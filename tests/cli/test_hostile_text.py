"""Ids, names and values with escape sequences, tabs and formulas: a terminal and every table show them as text."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from safetensors.numpy import save_file

from specbridge_tools.describe import lines
from specbridge_tools.evaluation.candidates import CandidateList, TopHit
from specbridge_tools.evaluation.evaluate import evaluate
from specbridge_tools.evaluation.truth import Truth
from specbridge_tools.hits.table import HitWriter, QueryRows, parse_hits, read_hits
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.report.candidates import candidate_table
from specbridge_tools.report.table import write_identified
from specbridge_tools.report.weights_table import write_weights
from specbridge_tools.terminal import TerminalText, cell
from specbridge_tools.weights.catalogue import KnownWeights, LocalWeights

HOSTILE = "=cmd|'/c calc'!A1\x1b[2J\x1b]0;owned\x07[bold red]x[/]\t\r\n\x9b31m\u202e<script>alert(1)</script>"
SHOWN = "=cmd|'/c calc'!A1\\x1b[2J\\x1b]0;owned\\x07[bold red]x[/]\\t\\r\\n\\x9b31m\\u202e<script>alert(1)</script>"
HALF_SHOWN = SHOWN.replace("\\t", "\t").replace("\\n", "\n")  # quoted
ANSI = re.compile("\x1b\\[[0-9;]*m")  # the colours of rich itself
COLUMNS = ("query_id", "score", "inchikey14", "smiles", "name", "all_ids", "reason")


def controls(text, allowed="\t\n"):
    """The characters of a text that a terminal would obey."""
    return {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs")} - set(allowed)


def test_a_cell_is_one_line_of_text():
    assert cell(HOSTILE) == SHOWN
    assert cell("\u00e9 \u4e2d \u00a0\u00ad=1+2") == "\u00e9 \u4e2d \u00a0\u00ad=1+2", "what only looks odd stays"


def test_the_table_of_rejected_records_keeps_its_columns():
    stream = io.StringIO()
    Tally(rejects=stream).count(Rejection("no peaks", HOSTILE, 1, 2, HOSTILE, HOSTILE))
    text = stream.getvalue()
    assert not controls(text)
    _, row = csv.reader(io.StringIO(text), delimiter="\t")
    assert row == [*(HALF_SHOWN if column in (0, 3, 5) else value for column, value in enumerate(row))]
    assert (len(row), row[4]) == (6, "no peaks")


@pytest.mark.parametrize("output_format", ["tsv", "jsonl"])
def test_hits_keep_their_columns_and_values(output_format):
    row = (HOSTILE, "0.5", "KEY", "CCO", HOSTILE, HOSTILE, "")
    stream = io.StringIO()
    HitWriter(stream, output_format=output_format, columns=COLUMNS).write_rows([row, row])
    (hits,) = read_hits(io.BytesIO(stream.getvalue().encode()))
    faithful = HOSTILE if output_format == "jsonl" else HOSTILE.replace("\r", " ")
    assert (hits.query_id, hits.column("name"), len(hits)) == (faithful, [faithful] * 2, 2)


def test_the_page_shows_text():
    hits = parse_hits(QueryRows(COLUMNS, [(HOSTILE, "0.5", "KEY", HOSTILE, HOSTILE, HOSTILE, "")]))
    page = candidate_table(hits, top=1)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_printed_tables_show_text():
    truth = Truth(HOSTILE, "KEY", 1, HOSTILE, 100.0)
    best = TopHit(name=HOSTILE, formula=HOSTILE, adduct=HOSTILE, score=0.5)
    listed = [CandidateList(truth, np.arange(1), np.array([0.5]), np.zeros(1), 0, 1, best)]
    stream = io.StringIO()
    write_identified(listed, evaluate(listed, resamples=5), stream, limit=1)
    assert not controls(stream.getvalue(), allowed="\n")
    assert "=cmd|" in stream.getvalue()
    stream = io.StringIO()
    stream.isatty = lambda: True
    known = KnownWeights(HOSTILE, "[bold red]x[/]", HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE)
    write_weights([LocalWeights(known, "present", HOSTILE, "")], stream)
    assert not controls(ANSI.sub("", stream.getvalue()), allowed="\n")


def test_lines_of_info_keep_their_columns():
    values = {HOSTILE: HOSTILE, "nested": {HOSTILE: [HOSTILE, 1]}, "empty": None}
    found = list(lines(values))
    assert [line.count("\t") for line in found] == [1, 1, 1]
    assert not controls("".join(found), allowed="\t")


def on_terminal(*command):
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:
                break
            if not block:
                break
            shown += block
        process.communicate()
    os.close(ours)
    return shown.decode()


@pytest.mark.slow
@pytest.mark.parametrize("output_format", ["tsv", "json"])
def test_a_terminal_shows_the_header_of_a_file_as_text(tmp_path, output_format):
    path = tmp_path / "weights"
    save_file({}, path, metadata={"specbridge": json.dumps({"format": "\x1b[2J", "name\x1b[1m": "\x9b31m"})})
    start = "import sys; from specbridge_tools.cli.info import main; main(sys.argv[1:])"
    shown = on_terminal(sys.executable, "-c", start, str(path), "--format", output_format)
    assert "n_tensors" in shown
    assert not controls(shown, allowed="\t\n\r")


def test_a_table_on_a_terminal_is_shown_as_text():
    raw = io.BytesIO()
    stream = TerminalText(raw, encoding="utf-8", newline="\n")
    HitWriter(stream, columns=COLUMNS).write_rows([(HOSTILE, "0.5", "KEY", "CCO", HOSTILE, HOSTILE, "")])
    stream.flush()
    assert not controls(raw.getvalue().decode())
