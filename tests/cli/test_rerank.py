import csv
import io
import json

import pytest

COLUMNS = ("query_id", "rank", "score", "inchikey14", "smiles", "adduct", "reason")
ROWS = [
    ("p1", 1, 0.72, "BBB", "COC(=O)c1ccccc1N", "[M+H]+", ""),
    ("p1", 2, 0.70, "AAA", "CC(=O)Nc1ccc(O)cc1", "[M+H]+", ""),
    ("p1", 3, 0.60, "CCC", "NCC(=O)c1ccc(O)cc1", "[M+H]+", ""),
    ("none", "", "", "", "", "", "no molecule in the window"),
    ("p2", 1, 0.50, "BBB", "COC(=O)c1ccccc1N", "[M+H]+", ""),
]
MGF = """BEGIN IONS
TITLE={}
PEPMASS=152.0706
ADDUCT=[M+H]+
65.0386 10
93.0335 12
110.0600 100
152.0706 40
END IONS

"""


def table(rows=ROWS, columns=COLUMNS):
    return "\n".join("\t".join(map(str, row)) for row in [columns, *rows]) + "\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "hits.tsv").write_text(table())
    (tmp_path / "spectra.mgf").write_text("".join(MGF.format(name) for name in ("p1", "none", "unasked", "p2")))
    return tmp_path


def rows_of(output):
    return list(csv.DictReader(io.StringIO(output.decode()), delimiter="\t"))


@pytest.mark.slow
def test_hits_are_re_ranked(run, files):
    done = run("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", "--threads", "1", "-o", "out.tsv")
    rows = rows_of((files / "out.tsv").read_bytes())
    assert [row["query_id"] for row in rows] == ["p1", "p1", "p1", "none", "p2"]
    assert rows[0]["inchikey14"] == "AAA"
    assert rows[0]["rank"] == "1"
    assert rows[0]["cosine"] == "0.7"
    assert float(rows[0]["explained_intensity"]) == pytest.approx(1.0)
    assert float(rows[0]["score"]) >= float(rows[1]["score"]) >= float(rows[2]["score"])
    assert rows[3]["reason"] == "no molecule in the window"
    assert done.stderr.decode().splitlines()[-1].startswith("3 queries read, 0 rejected, 3 written")


@pytest.mark.slow
def test_how_many_are_scored(run, files):
    command = ("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", "--threads", "1")
    every, zero, default = (run(*command, *rest).stdout for rest in (("--rerank", "all"), ("--rerank", "0"), ()))
    assert every == zero == default
    assert all(row["fragment_score"] for row in rows_of(every) if row["rank"])
    for wrong in ("some", "-1", "1.5"):
        done = run(*command, "--rerank", wrong, status=2)
        assert f"'{wrong}' is neither all nor a number from 0".encode() in done.stderr


@pytest.mark.bytes
@pytest.mark.slow
def test_a_pipe_two_processes_and_json_give_the_same(run, files):
    alone = run("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", "--threads", "1").stdout
    piped = run("sb-rerank", "-", "--spectra", "spectra.mgf", "--threads", "2", stdin=table().encode()).stdout
    assert piped == alone
    spectra = (files / "spectra.mgf").read_bytes()
    assert run("sb-rerank", "hits.tsv", "--spectra", "-", "--threads", "1", stdin=spectra).stdout == alone
    lines = run("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", "--threads", "1", "--format", "jsonl").stdout
    first = json.loads(lines.splitlines()[0])
    assert first["fragment_score"] == pytest.approx(float(rows_of(alone)[0]["fragment_score"]))
    again = run("sb-rerank", "-", "--spectra", "spectra.mgf", "--threads", "1", "--format", "jsonl", stdin=lines).stdout
    assert again == lines


@pytest.mark.slow
def test_explained_peaks(run, files):
    options = ("--threads", "1", "-o", "out.tsv", "--explain", "peaks.tsv", "--explain-top", "1")
    run("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", *options)
    rows = rows_of((files / "peaks.tsv").read_bytes())
    found = {(row["query_id"], row["inchikey14"], row["mz"]): row["fragment_formula"] for row in rows}
    assert found["p1", "AAA", "110.06"] == "C6H8NO+"
    assert found["p1", "AAA", "93.0335"] == "C6H5O+"
    assert {row["inchikey14"] for row in rows if row["query_id"] == "p1"} == {"AAA"}
    assert {row["query_id"] for row in rows} == {"p1", "p2"}


@pytest.mark.slow
def test_top_limits_what_is_scored(run, files):
    options = ("--threads", "1", "--rerank", "1", "--reference", "none")
    rows = rows_of(run("sb-rerank", "hits.tsv", "--spectra", "spectra.mgf", *options).stdout)
    assert [row["inchikey14"] for row in rows[:3]] == ["BBB", "AAA", "CCC"]
    assert [bool(row["fragment_score"]) for row in rows[:3]] == [True, False, False]


@pytest.mark.slow
def test_a_query_that_is_not_among_the_spectra_is_named(run, files):
    (files / "other.mgf").write_text(MGF.format("p1"))
    done = run("sb-rerank", "hits.tsv", "--spectra", "other.mgf", "--threads", "1", "-o", "out.tsv", status=1)
    assert b"'p2'" in done.stderr
    assert not (files / "out.tsv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("-", "--spectra", "-"), 2, b"cannot both be stdin"),
        (("hits.tsv",), 2, b"--spectra"),
        (("absent.tsv", "--spectra", "spectra.mgf"), 1, b"absent.tsv"),
        (("hits.tsv", "--spectra", "absent.mgf"), 1, b"absent.mgf"),
        (("spectra.mgf", "--spectra", "spectra.mgf"), 1, b"hits"),
        (("hits.tsv", "--spectra", "spectra.mgf", "--model", "hits.tsv"), 1, b"hits.tsv: is no safetensors file"),
        (("hits.tsv", "--spectra", "spectra.mgf", "-o", "hits.tsv"), 2, b"exists already"),
    ],
)
def test_mistakes_end_in_one_line(run, files, arguments, status, message):
    done = run("sb-rerank", *arguments, "--threads", "1", status=status)
    assert message in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_table_without_rows_gives_its_header(run, files):
    done = run("sb-rerank", "-", "--spectra", "spectra.mgf", "--threads", "1", stdin=table([]).encode())
    assert done.stdout.startswith(b"query_id\trank\tscore\tcosine\tfragment_score\texplained_intensity\t")
    assert done.stdout.count(b"\n") == 1


def test_help_is_quick(run):
    assert b"sb-rerank hits.tsv" in run("sb-rerank", "--help").stdout
