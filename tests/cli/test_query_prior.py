"""sb-query --prior: counts of the molecules' table enter the ranking, and whoever reads the hits is told."""

import csv
import io
import json
import math

import pytest

from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.molecules.formula import mass_of_formula

# four of C4H10O, one twice; and one without a count
TABLE = (
    "id\tsmiles\tPatent Count\torganism\n"
    "a\tCCCCO\t3\t1\nb\tCCOCC\t\t0.5\nc\tCC(C)CO\t20\tNA\nd\tC(C)(C)CO\t700\t0\ne\tCC(C)(C)O\t0\t0\n"
)
COUNTS = {"a": 3, "b": 0, "c": 700, "e": 0}  # d is c again
SPECTRUM = f"BEGIN IONS\nTITLE=q\nPEPMASS={mass_of_formula('C4H10O') + 1.007276466}\nADDUCT=[M+H]+\nSMILES=CC(C)CO\n"
SPECTRUM += "CHARGE=1+\n31.2 3\n42.7 1\nEND IONS\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_toy_model):
    folder = tmp_path_factory.mktemp("prior")
    (folder / "m.tsv").write_text(TABLE)
    (folder / "s.mgf").write_text(SPECTRUM)
    calibration = {"scale": 5.0, "none": -2.0, "none_log_candidates": 0.1, "none_log_top": -0.5}
    save_toy_model(folder / "model.safetensors", calibration=calibration)
    return folder


@pytest.fixture
def index(call, files, monkeypatch):
    monkeypatch.chdir(files)
    if not (files / "i.h5").exists():
        counts = ("--count", "Patent Count", "--count", "organism")
        call("sb-embed-mols", "m.tsv", "--encoder", "toy", *counts, "-o", "m.h5", "-q")
        call("sb-build-index", "m.h5", "-o", "i.h5", "-q")
    return "i.h5"


def rows(call, *arguments):
    done = call("sb-query", "s.mgf", "--model", "model.safetensors", *arguments)
    return list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t")), done.stderr.decode()


def test_counts_are_a_part_of_the_score_and_not_of_the_probability(call, index):
    plain, _ = rows(call, "--index", index, "--top", "0")
    found, stderr = rows(call, "--index", index, "--top", "0", "--prior", "Patent Count:0.5")
    assert "; scores with the prior Patent Count:0.5\n" in stderr
    assert list(found[0])[2:4] == ["score", "prior:Patent Count:0.5"]
    assert {row["id"]: float(row["prior:Patent Count:0.5"]) for row in found} == COUNTS
    before = {row["id"]: row for row in plain}
    for row in found:
        added = 0.5 * math.log1p(COUNTS[row["id"]])
        assert float(row["score"]) == pytest.approx(float(before[row["id"]]["score"]) + added, abs=1e-8)
        assert row["probability"] == before[row["id"]]["probability"]
    assert found[0]["id"] == "c"
    assert [int(row["rank"]) for row in found] == [1, 2, 3, 4]
    (best,), _ = rows(call, "--index", index, "--top", "1", "--prior", "Patent Count:0.5")
    assert best == found[0]
    assert "prior" not in ",".join(plain[0])
    done = call(
        "sb-query",
        "s.mgf",
        "--model",
        "model.safetensors",
        "--index",
        index,
        "--prior",
        "organism",
        "--format",
        "jsonl",
    )
    assert json.loads(done.stdout.splitlines()[0])["prior:organism:1"] == 1


@pytest.mark.slow
def test_embeddings_carry_counts_through_merges_and_repeats(call, index, files):
    (files / "more.tsv").write_text("id\tsmiles\tPatent Count\nx\tCCCCO\t1e4\ny\tCCO\t2.5\n")
    call("sb-embed-mols", "more.tsv", "--encoder", "toy", "--count", "patentcount", "-o", "more.h5", "-q", "--force")
    call("sb-embed-mols", "more.tsv", "--encoder", "toy", "--count", "Patent Count", "-o", "more.h5", "-q", "--force")
    call("sb-merge", "m.h5", "more.h5", "-o", "merged.h5", "--force")
    with open_molecule_embeddings(files / "merged.h5") as merged:
        assert merged.count_columns == ("count:Patent Count", "count:organism")
        assert merged.read("count:Patent Count").tolist() == ["10000", "0", "700", "0", "2.5"]
        assert merged.read("count:organism").tolist() == ["1", "0.5", "0", "0", "0"]
    call("sb-build-index", "merged.h5", "-o", "one.h5", "-q", "--force")
    call("sb-build-index", "more.h5", "-o", "two.h5", "-q", "--force")
    call("sb-merge", "i.h5", "two.h5", "-o", "joined.h5", "--force")
    options = ("--top", "0", "--prior", "Patent Count")
    of_one, _ = rows(call, "--index", "one.h5", *options)
    assert {row["id"]: row["prior:Patent Count:1"] for row in of_one} == {"a": "10000", "b": "0", "c": "700", "e": "0"}
    assert rows(call, "--index", "joined.h5", *options)[0] == of_one
    assert rows(call, "--index", "i.h5", "--index", "two.h5", *options)[0] == of_one


def test_candidate_lists_have_counts_of_their_own(call, index, files):
    table = "query_id\tsmiles\tid\tn\nq\tCCCCO\ta\t5\nq\tCCOCC\tb\t\nother\tCCCCO\ta\t9\nq\tOCCCC\ta2\t6\n"
    (files / "lists.tsv").write_text(table)
    found, _ = rows(call, "--candidates", "lists.tsv", "--prior", "n:2")
    assert {row["id"]: row["prior:n:2"] for row in found} == {"a": "6", "b": "0"}
    (files / "lists.tsv").write_text(table.replace("\t6\n", "\tmany\n"))
    done = call(
        "sb-query", "s.mgf", "--model", "model.safetensors", "--candidates", "lists.tsv", "--prior", "n", status=1
    )
    assert b"lists.tsv: line 5: n is 'many': count not a number from 0" in done.stderr


@pytest.mark.parametrize("text", ["-1", "many", "inf", "1_0"])
def test_a_molecule_whose_count_is_none_is_rejected_by_name(call, index, files, text):
    (files / "bad.tsv").write_text(f"id\tsmiles\tn\na\tCCO\t1\nbad\tCCCO\t{text}\n")
    done = call(
        "sb-embed-mols", "bad.tsv", "--encoder", "toy", "--count", "n", "-o", "b.h5", "--force", "--rejects", "r.tsv"
    )
    (rejected,) = csv.DictReader((files / "r.tsv").read_text().splitlines(), delimiter="\t")
    assert (rejected["id"], rejected["line"], rejected["reason"], rejected["detail"]) == (
        "bad", "3", "count not a number from 0", text,
    )  # fmt: skip
    (files / "r.tsv").unlink()
    assert b"1 rejected (1 count not a number from 0)" in done.stderr


def test_what_cannot_be_done_says_so(call, index, files):
    (files / "m.smi").write_text("CCO a\n")
    cases = [
        (
            "sb-embed-mols",
            ("m.tsv", "--count", "x", "-o", "x.h5"),
            1,
            "m.tsv: has no column 'x'; its columns: id, smiles, Pat",
        ),
        ("sb-embed-mols", ("m.smi", "--count", "x", "-o", "x.h5"), 2, "only a table has columns of counts"),
        ("sb-embed-mols", ("m.tsv", "--count", "a:b", "-o", "x.h5"), 2, "no name of a column of counts: 'a:b'"),
        (
            "sb-query",
            ("s.mgf", "--index", index, "--prior", "x"),
            2,
            "holds no counts 'x', only Patent Count, organism",
        ),
        ("sb-query", ("s.mgf", "--index", index, "--prior", "organism:-1"), 2, "no weight of a prior: -1.0"),
        ("sb-query", ("s.mgf", "--index", index, "--prior", "organism:a"), 2, "no weight of a prior: 'a'"),
        (
            "sb-query",
            ("s.mgf", "--index", index, "--prior", "organism", "--mode", "open"),
            2,
            "a prior needs complete lists",
        ),
    ]
    for name, arguments, status, text in cases:
        model = ("--model", "model.safetensors") if name == "sb-query" else ("--encoder", "toy")
        assert text in call(name, *arguments, *model, status=status).stderr.decode()


@pytest.mark.slow
def test_figures_with_a_prior_are_not_compared_silently(call, index, files):
    options = ("--index", index, "--model", "model.safetensors", "--top", "0")
    call("sb-query", "s.mgf", *options, "--prior", "organism:2", "-o", "prior.tsv", "--force")
    done = call("sb-evaluate", "prior.tsv", "--truth", "s.mgf", status=3)
    assert (
        b"prior.tsv was ranked with the prior organism:2; search without --prior; or give --with-prior" in done.stderr
    )
    done = call("sb-evaluate", "prior.tsv", "--truth", "s.mgf", "--with-prior", "--resamples", "2")
    metrics = list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    noted = {row["ranking"] for row in metrics if row["note"].startswith("with the prior organism:2")}
    assert noted == {"score", "probability"}
    assert not {row["ranking"] for row in metrics if not row["note"].startswith("with the prior")} & noted
    done = call("sb-rerank", "prior.tsv", "--spectra", "s.mgf", status=2)
    assert b"the hits were ranked with the prior organism:2" in done.stderr
