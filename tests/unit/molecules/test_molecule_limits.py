"""Files of molecules that hold too much in one place: rejected there, and time grows with size alone."""

import collections
import contextlib
import io
import time

import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.hits.table import read_hits
from specbridge_tools.molecules import raw, rows, sdf
from specbridge_tools.molecules.reader import read_molecules, read_raw
from specbridge_tools.records import Rejection
from specbridge_tools.search.candidates.list_file import read_candidate_table

MOLFILE = "next\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n$$$$\n"
LONG = "x" * (raw.MAX_TEXT + 1)


def read(text):
    return list(read_molecules(io.BytesIO(text.encode()), threads=1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"id\tsmiles\nA\tCCO\nB\t{'C' * (raw.MAX_TEXT + 1)}\nC\tCCN\n", "structure is too large"),
        (f"id\tsmiles\nA\tCCO\n{LONG}\tCC\nC\tCCN\n", "record is too long"),
        (f"id\tname\tsmiles\nA\t\tCCO\nB\t{LONG}\tCC\nC\t\tCCN\n", "record is too long"),
        (f"id,smiles\nA,CCO\nB,CC,{'x' * rows.MAX_CELL}y\nC,CCN\n", "record is too long"),
        (f"CCO A\nCC {LONG}\nCCN C\n", "record is too long"),
        (f"CCO A\n{'C' * (raw.MAX_TEXT + 1)} B\nCCN C\n", "structure is too large"),
        ('id,smiles\nA,CCO\nB,"CC\nC,CCN\n', "unbalanced quote"),
    ],
    ids=["structure", "id", "name", "cell", "smi id", "smi structure", "quote"],
)
def test_a_record_that_holds_too_much_is_rejected_alone(text, reason):
    first, *rejected, last = read(text)
    assert (first.id, last.id) == ("A", "C")
    assert [record.reason for record in rejected] == [reason]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("> <text>\n" + "y" * 3_000_000 + "\n" + ("z" * 3_000_000 + "\n") * 3, "record is too long"),
        ("> <text>\n" + "y\n" * sdf.MAX_LINES_OF_A_RECORD, "record is too long"),
        (f"> <id>\n{LONG}\n", "record is too long"),
    ],
    ids=["characters", "lines", "id"],
)
def test_a_record_of_sdf_that_holds_too_much(inside, reason):
    head, end = MOLFILE.replace("next", "long").removesuffix("$$$$\n"), "$$$$\n"
    rejected, molecule = read(head + inside + end + MOLFILE)
    assert (rejected.reason, molecule.id) == (reason, "next")


def test_a_molfile_that_holds_too_much():
    lines = MOLFILE.splitlines(keepends=True)
    big = "".join([*lines[:4], *["    0.0000    0.0000    0.0000 C   0  0\n"] * 20_000, *lines[5:]])
    rejected, molecule = read(big + MOLFILE)
    assert (rejected.reason, molecule.id) == ("record is too long", "next")


def test_a_quoted_cell_of_several_lines_is_read_as_before():
    text = 'id,smiles,note\nA,CCO,"one\ntwo, three\n""four"" five"\nB,CCN,"six"\nC,5 pipe,"x\ny"\n'
    records = list(read_raw(io.BytesIO(text.encode()), input_format="csv"))
    assert [(record.id, record.line) for record in records] == [("A", 2), ("B", 5), ("C", 6)]


@pytest.mark.parametrize("line", ["z" * 5_000_000, '"' + "z" * 5_000_000])
def test_a_line_without_end_is_an_error(line):
    with pytest.raises(DataError, match="line longer than"):
        read("id\tsmiles\nA\tCCO\n" + line)
    with pytest.raises(DataError, match="line longer than"):
        read_candidate_table(io.BytesIO(("query_id\tsmiles\nA\tCCO\n" + line).encode()))


def test_hits_with_lines_or_values_without_end(monkeypatch):
    monkeypatch.setattr("specbridge_tools.hits.rows.MAX_LINE", 1000)
    head = "query_id\tscore\tinchikey14\n"
    with pytest.raises(DataError, match="line 2: line longer than 1,000 characters"):
        list(read_hits(io.BytesIO((head + "x" * 2000).encode())))
    with pytest.raises(DataError, match="line 2: line longer than 1,000 characters"):
        list(read_hits(io.BytesIO((head + '"' + "x" * 2000).encode())))
    monkeypatch.undo()
    nested = '{"query_id": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    with pytest.raises(DataError, match="is not JSON"):
        list(read_hits(io.BytesIO(nested.encode())))


def cost(text):
    seconds = []
    for _ in range(2):
        started = time.process_time()
        with contextlib.suppress(DataError):
            collections.deque(read_raw(io.BytesIO(text.encode())), maxlen=0)
        seconds.append(time.process_time() - started)
    return min(seconds)


GROWING = {
    "quotes that never close": lambda n: "id,smiles\n" + 'A,"CCO\n' * n,
    "a quote and lines without one": lambda n: "id,smiles\n" + ('A,"CCO\n' + "B,CC\n" * 60) * (n // 50),
    "fields of SDF": lambda n: MOLFILE + "x\n\n\n" + ">" + "<" * 20 * n + "\nM  END\n$$$$\n",
    "cells": lambda n: "id\tsmiles\nA\tCCO\n" + "B\t" * n,
    "blanks": lambda n: "CCO A\n" + " \n" * n,
    "comments": lambda n: "CCO A\n" + "# C\n" * n,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", GROWING)
def test_time_grows_with_size_alone(kind):
    n = 10_000
    assert cost(GROWING[kind](4 * n)) < 8 * cost(GROWING[kind](n)) + 0.1


def test_rejections_of_long_texts_hold_little():
    """A thousand records wait for their structures: none of them with more than the limit."""
    text = "id\tsmiles\n" + f"A\t{'C' * 300_000}\n" * 30
    records = [record for record in read("id\tsmiles\nX\tCCO\n" + text.partition("\n")[2])]
    assert collections.Counter(type(record) for record in records)[Rejection] == 30
