"""What is wrong with a record is said of that record, and no record vanishes."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.errors import DataError, FormatError, SpecbridgeError
from specbridge_tools.molecules.lines import MAX_LINE
from specbridge_tools.molecules.missing import is_missing
from specbridge_tools.molecules.reader import read_counted, read_molecules, read_raw
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange

GOOD = "G\tCCO"
MOLFILE = """title
  program

  1  0  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
M  END
"""
LONG_QUOTE = "C\n" * 60


@pytest.mark.parametrize(
    ("text", "reason", "identifier", "record", "line"),
    [
        (f"id\tsmiles\n{GOOD}\nB\t\n", "no structure", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\n", "no structure", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\tC1CC\n", "structure cannot be read", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\n\n\nB\tCC(\n", "structure cannot be read", "B", 2, 5),
        (f"id\tsmiles\n{GOOD}\nB\tn/a\n", "no structure", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\tNaN\n", "no structure", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\tCCO ethanol\n", "structure cannot be read", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\t[Na+].[Cl-]\n", "no organic fragment", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\tO\n", "no organic fragment", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\tC*\n", "structure holds a wildcard atom", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\t{'C' * 1001}\n", "structure is too large", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\t{'C' * 10_001}\n", "structure is too large", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\t{'C' * 1_000_001}\n", "record is too long", "B", 2, 3),
        (f"id\tsmiles\n{GOOD}\nB\tC\tX\n", "more fields than the header", "B", 2, 3),
        ("id\tinchi\nG\tInChI=1S/CH4/h1H4\nB\tInChI=1S/x\n", "structure cannot be read", "B", 2, 3),
        ('id,smiles\nG,CCO\nB,"CC\n', "unbalanced quote", "record=2", 2, 3),
        ('id,smiles\nG,CCO\nB,"CC"O\n', "unbalanced quote", "record=2", 2, 3),
        ("CCO G\nC1CC B\n", "structure cannot be read", "B", 2, 2),
        ("CCO G\n[nothing] B\n", "structure cannot be read", "B", 2, 2),
        (f"{MOLFILE}$$$$\n$$$$\n", "record is not complete", "record=2", 2, 8),
        (f"{MOLFILE}$$$$\nB\n\n\n", "record is not complete", "B", 2, 8),
        (f"{MOLFILE}$$$$\n{MOLFILE.replace('title', 'B')}{MOLFILE}$$$$\n", "record is not complete", "B", 2, 8),
        (
            f"{MOLFILE}$$$$\n{MOLFILE.replace('title', 'B').replace(' C ', ' Q9')}$$$$\n",
            "structure holds a wildcard atom|structure cannot be read", "B", 2, 8,
        ),
        (
            f"{MOLFILE}$$$$\n{MOLFILE.replace('title', 'B').replace('  1  0', '  7  0')}$$$$\n",
            "structure cannot be read", "B", 2, 8,
        ),
        (
            f"{MOLFILE}$$$$\n{MOLFILE.replace('title', 'B').replace('  1  0', 'xxxxxx')}$$$$\n",
            "structure cannot be read", "B", 2, 8,
        ),
        (f"{MOLFILE}$$$$\nB\n" + "x\n" * 100_001 + "$$$$\n", "record is too long", "B", 2, 8),
    ],
)  # fmt: skip
def test_one_bad_record_after_a_good_one(text, reason, identifier, record, line):
    good, bad = read_molecules(io.BytesIO(text.encode()), threads=1)
    assert not isinstance(good, Rejection)
    assert bad.reason in reason.split("|")
    assert (bad.id, bad.record, bad.line, bad.source) == (identifier, record, line, "<stream>")


def test_the_detail_shows_the_structure():
    _, bad = read_molecules(io.BytesIO(b"smiles\nC\nC1CC\n"), threads=1)
    assert bad.detail == "C1CC"


def test_an_endless_line_is_a_data_error():
    with pytest.raises(SpecbridgeError, match="line 2: line longer than"):
        list(read_raw(io.BytesIO(b"id\tsmiles\nA\t" + b"C" * (MAX_LINE + 10))))


CELL = st.text(alphabet='Cc1()[]"\t,;\n\r é\x00\u2028#$>M END', max_size=12)


@settings(max_examples=200)
@given(
    head=st.sampled_from(
        ["", "id\tsmiles\n", "smiles,id\n", "inchi;id\n", "CCO\n", "$$$$\n", MOLFILE, "\ufeffsmiles\n"]
    ),
    cells=st.lists(CELL, max_size=8),
    input_format=st.sampled_from(["auto", "tsv", "csv", "smi", "sdf"]),
)
def test_any_text_gives_records_or_a_specbridge_error(head, cells, input_format):
    text = head + "\n".join(cells)
    try:
        records = list(read_molecules(io.BytesIO(text.encode()), threads=1, input_format=input_format))
    except SpecbridgeError:
        return
    assert [record.record for record in records] == list(range(1, len(records) + 1))


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_records_or_a_specbridge_error(data):
    try:
        records = list(read_molecules(io.BytesIO(data), threads=1))
    except SpecbridgeError:
        return
    assert all(record.record for record in records)


@pytest.mark.slow
@settings(max_examples=100)
@given(
    rows=st.lists(
        st.tuples(st.from_regex(r"[A-Za-z0-9]{1,5}", fullmatch=True), st.sampled_from(["CCO", "C1CC", "", "O"]))
    ),
    delimiter=st.sampled_from(["\t", ",", ";"]),
)
def test_every_row_is_counted(rows, delimiter):
    rows = [row for row in rows if not is_missing(row[0])]
    table = "".join(f"{delimiter.join(row)}\n" for row in [("id", "smiles"), ("first", "CCO"), *rows])
    _, *records = read_molecules(io.BytesIO(table.encode()), threads=1)
    assert [record.id for record in records] == [row[0] for row in rows]
    assert [isinstance(record, Rejection) for record in records] == [row[1] != "CCO" for row in rows]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smiles\nC1CC\n", r"its only record is no structure \(1 structure cannot be read, the first 'C1CC'\)"),
        ("C1\nC2\n", r"none of its first 2 records is a structure \(2 structure cannot be read"),
        ("id\tsmiles\n" + "A\tC1CC\n" * 100 + "A\tCCO\n", "none of its first 100 records is a structure"),
        ("id\tsmiles\n" + "A\tC1CC\nA\tNA\n" * 50 + "A\tCCO\n", "50 structure cannot be read, 50 no structure"),
        ("id\tsmiles\n" + "A\tO\n" * 3, r"gives no molecule: all 3 records are rejected \(3 no organic fragment\)"),
        ("id\tsmiles\n" + "A\tNA\n" * 150, r"gives no molecule: all 150 records are rejected \(150 no structure\)"),
    ],
)
def test_what_gives_no_molecule_is_no_file_of_molecules(text, message):
    with pytest.raises(DataError, match=message):
        list(read_molecules(io.BytesIO(text.encode()), threads=1))


@pytest.mark.parametrize("before", ["A\tC1CC\n" * 99, "A\tO\n" * 150, "A\tNA\n" * 150, "A\tO\n" + "A\tC1CC\n" * 150])
def test_a_bad_beginning_costs_its_own_records_only(before):
    *rejected, last = read_molecules(io.BytesIO(f"id\tsmiles\n{before}B\tCCO\n".encode()), threads=1)
    assert len(rejected) == before.count("\n")
    assert (last.id, last.smiles) == ("B", "CCO")


def test_every_shard_of_what_is_no_file_of_molecules_is_refused(tmp_path):
    (path := tmp_path / "x.tsv").write_text("smiles\nC1CC\nC2CC\n")
    for low in (0, 1):
        with pytest.raises(FormatError, match="none of its first 2 records is a structure"):
            list(read_counted(path, fingerprint=None, threads=1, record_range=RecordRange(low, low + 1)))
    path.write_text("smiles\nCCO\nC2CC\n")
    ((bad, _),) = read_counted(path, fingerprint=None, threads=1, record_range=RecordRange(1, 2))
    assert bad.reason == "structure cannot be read"


def test_an_empty_file_says_so(caplog):
    for text in ("", "\n\n", "id\tsmiles\n"):
        caplog.clear()
        assert list(read_molecules(io.BytesIO(text.encode()), threads=1)) == []
        assert caplog.messages == ["<stream>: is empty: it holds no record"]
