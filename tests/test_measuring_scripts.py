"""What prints the tables of the model card, examples/training/measure_model.sh: they say what the commands do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from records_of_reference import RECORDS, mgf

EXAMPLES = Path(__file__).parents[1] / "examples"
STAGES = EXAMPLES / "training"
N_SPECTRA = 60
CUTOFFS = (1, 5, 20)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def environment(quickstart):
    return {**os.environ, "SPECBRIDGE_HOME": str(quickstart / "home")}


@pytest.fixture(scope="module")
def work(made_once, quickstart, environment):
    """The folder of the script, for some of the example spectra among the molecules of the quickstart."""

    def make(folder):
        for name in ("molecules.h5", "index.h5"):
            shutil.copy(quickstart / name, folder)
        blocks = (EXAMPLES / "spectra.mgf").read_text(encoding="utf-8").split("BEGIN IONS\n")[1 : N_SPECTRA + 1]
        (folder / "val.mgf").write_text("".join(f"BEGIN IONS\n{block}" for block in blocks), encoding="utf-8")
        (folder / "known.mgf").write_text(mgf(*RECORDS))
        files = [folder / "val.mgf", EXAMPLES / "molecules.tsv", folder / "known.mgf", folder]
        subprocess.run([STAGES / "measure_model.sh", *files], check=True, env=environment, stdout=subprocess.PIPE)

    return made_once("measured", make)


def tables(path):
    """{title: {row: {column: cell}}}"""
    found = {}
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        (title, *columns), _, *rows = (line[2:-2].split(" | ") for line in block.splitlines())
        found[title] = {name: dict(zip(columns, cells, strict=True)) for name, *cells in rows}
    return found


@pytest.fixture
def asked(work, environment, tmp_path):
    """A function of options: recall in per cent of the first two spectra of each molecule, by the commands."""
    return lambda *options: recall(work, environment, tmp_path / "hits.tsv", options)


def recall(folder, environment, hits, options):
    spectra = folder / "two.mgf"
    query = ["sb-query", spectra, "--index", folder / "index.h5", "--top", "0", "-q", "-o", hits, *options]
    subprocess.run(query, check=True, env=environment)
    evaluate = ["sb-evaluate", hits, "--truth", spectra, "--recall-at", "1,5,20,100000", "--format", "json", "-q"]
    metrics = json.loads(subprocess.run(evaluate, check=True, env=environment, stdout=subprocess.PIPE).stdout)
    wanted = ("all", "score", "spectra")
    return {row["metric"]: 100 * row["value"] for row in metrics
            if (row["subset"], row["ranking"], row["over"]) == wanted}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ("cosine alone", ["--rerank", "0"]),
        ("both: no reference spectra", ["--reference", "none"]),
        ("all: the default", []),
    ],
)
def test_evidence_that_is_left_out_ranks_as_the_command_without_it(work, asked, row, options):
    evidence = tables(work / "tables.md")["evidence"][row]
    column = next(name for name in evidence if " unknown, " in name)
    first, *others = evidence[column].split(" / ")
    found = asked(*options)
    expected = [found[f"recall@{k}"] for k in CUTOFFS]
    # one digit is shown; scores that differ from the seventh on are ties there
    assert [float(first.split()[0]), *map(float, others)] == pytest.approx(expected, abs=0.06)


def test_every_kind_of_evidence_matters(work):
    rows = tables(work / "tables.md")["evidence"]
    assert len({tuple(row.values()) for row in rows.values()}) >= 6


def test_answer_sets_are_those_of_the_command(work, asked):
    column = "unknown: hold a listed truth, mean size"
    shown, size = tables(work / "tables.md")["`--coverage`"]["0.9"][column].split("%, ")
    assert float(shown) == pytest.approx(asked("--coverage", "0.9")["recall@100000"], abs=0.06)
    assert float(size) >= 1


def test_each_query_counts_with_its_truth_and_without_it(work):
    column = "unknown: hits, their mean, right"
    cells = [row[column] for row in tables(work / "tables.md")["probability"].values() if row[column]]
    n = (work / "two.mgf").read_text().count("BEGIN IONS")
    # a list of the truth alone has no best hit without it
    assert 2 * n - 5 <= sum(int(cell.split(":")[0]) for cell in cells) <= 2 * n
    assert all(0 <= float(cell.split()[2]) <= 1 for cell in cells)


def test_tables_of_metrics_show_baselines_and_known_molecules(work):
    found = tables(work / "tables.md")
    unknown = found["spectra of unknown molecules"]
    assert float(unknown["random"]["recall@1"].split()[0]) < float(unknown["cosine alone"]["recall@1"].split()[0])
    assert {row["queries"] for row in unknown.values()} == {str(N_SPECTRA)}
    known = found["spectra of known molecules"]
    assert known["all: the default"]["queries"] == str(len(RECORDS))
    assert found["all spectra of a compound and adduct together"].keys() <= unknown.keys()


def test_what_one_table_of_hits_gives_over_another(work, environment):
    command = [sys.executable, STAGES / "compare_hits.py", work / "val.mgf", work / "cosine.tsv", work / "default.tsv"]
    shown = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout
    gained = {line.split()[0]: float(line.split()[1]) for line in shown.splitlines()}
    unknown = tables(work / "tables.md")["spectra of unknown molecules"]
    default = unknown["all re-ranked, with reference spectra: the default"]
    for name in ("recall@1", "recall@5", "recall@20"):
        before, after = (float(row[name].split()[0]) for row in (unknown["cosine alone"], default))
        assert gained[name] == pytest.approx(after - before, abs=0.11)
