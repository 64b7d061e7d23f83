"""The whole way, with real commands and pipes on the real spectra of the examples."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
SMALL = ROOT / "galaxy_wrappers" / "test-data"
BIN = Path(sys.executable).parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # who waits for the quickstart waits with others


@pytest.fixture
def shell(tmp_path):
    """Run a line of bash in an empty folder, with the commands on the PATH; any part of a pipe may fail it."""

    def run_line(line, *, status=0):
        environment = {
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "EXAMPLES": str(EXAMPLES),
            "SMALL": str(SMALL),
        }
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=280,
        )
        assert done.returncode == status, done.stderr
        return done

    return run_line


def table(path):
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def titles(path):
    return [line[6:].strip() for line in path.read_text().splitlines() if line.startswith("TITLE=")]


def queries(rows):
    """Ids in the order in which they come, each once."""
    return list(dict.fromkeys(row["query_id"] for row in rows))


def value(metrics, ranking, metric, column="value"):
    (row,) = (
        row
        for row in metrics
        if (row["subset"], row["ranking"], row["metric"], row["over"]) == ("all", ranking, metric, "spectra")
    )
    return float(row[column])


def percentages(text):
    """The numbers of the lines on recall, in their order."""
    lines = [line for line in text.splitlines() if line.startswith("recall@")]
    return [float(number) for line in lines for number in re.findall(r"([\d.]+)%", line.replace("95 %", ""))]


def test_quickstart_identifies_more_than_chance(quickstart):
    metrics = table(quickstart / "metrics.tsv")
    for name in ("library_hits.tsv", "hits.tsv"):
        assert queries(table(quickstart / name)) == titles(EXAMPLES / "spectra.mgf")
    assert value(metrics, "lists", "truth_in_candidates") == 1
    for metric in ("recall@1", "recall@5", "mrr"):
        assert value(metrics, "cosine", metric, "low") > value(metrics, "random", metric)
        assert value(metrics, "score", metric) > value(metrics, "cosine", metric)
        assert value(metrics, "score", metric, "low") > value(metrics, "mass_only", metric)
    named = [row for row in table(quickstart / "library_hits.tsv") if row["rank"] == "1" and row["name"]]
    assert len(named) > 100
    assert "flurazepam" in {row["name"] for row in named}
    page = (quickstart / "library_hits.html").read_text(encoding="utf-8")
    assert "flurazepam" in page
    assert page.count('class="data-query"') == 100
    assert len(page) < 5e6  # 10 MB for 200 queries
    printed = percentages((quickstart / "stdout").read_text())
    # a recall, its interval, three baselines and the cosine, at three ranks: of the library, and of the molecules
    assert len(printed) == 42
    for text, expected in (("README.md", printed[:21]), ("examples/USAGE.md", printed[21:])):
        shown = (ROOT / text).read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
        assert percentages(shown) == pytest.approx(expected, abs=1.0), f"{text} shows an old run"
    assert not list(quickstart.glob(".*"))


def test_pipes_give_what_files_give(shell, tmp_path):
    shell("sb-embed-mols $SMALL/molecules.tsv --encoder toy -o m.h5 && sb-build-index m.h5 -o i.h5")
    shell("gzip -c $SMALL/molecules.tsv | sb-embed-mols - --encoder toy -o - | sb-build-index - -o - > piped.h5")
    assert (tmp_path / "piped.h5").read_bytes() == (tmp_path / "i.h5").read_bytes()
    query = "sb-query {} --index i.h5 --model $SMALL/model.safetensors --top 0 -o {}"
    shell(query.format("$SMALL/spectra.mgf", "h.tsv"))
    piped = shell("gzip -c $SMALL/spectra.mgf | " + query.format("-", "-")).stdout
    embedded = shell(
        "sb-embed-spectra $SMALL/spectra.mgf --model $SMALL/model.safetensors -o - | " + query.format("-", "-")
    ).stdout
    assert piped == (tmp_path / "h.tsv").read_text() == embedded
    first = shell("set +o pipefail; gzip -c $SMALL/spectra.mgf | " + query.format("-", "-") + " | head -n 2")
    assert first.stdout == "".join(piped.splitlines(keepends=True)[:2])
    assert "Traceback" not in first.stderr


def test_from_training_to_identification(shell, tmp_path):
    shell("sb-split $EXAMPLES/spectra.mgf --by structure --fractions 0.8,0.2 -o parts/")
    train, validation = titles(tmp_path / "parts/train.mgf"), titles(tmp_path / "parts/val.mgf")
    assert sorted(train + validation) == sorted(titles(EXAMPLES / "spectra.mgf"))
    shell("sb-embed-mols $EXAMPLES/molecules.tsv --encoder morgan:bits=512,dimension=64 -o m.h5 --quiet")
    shell(
        "sb-finetune parts/train.mgf --validation parts/val.mgf --molecules m.h5 --spectral-encoder toy "
        "--projector-hidden 32 --epochs 2 --threads 1 --history curve.tsv --plot curve.png -o model.safetensors"
    )
    assert len(table(tmp_path / "curve.tsv")) == 2
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    shell("sb-build-index m.h5 --model model.safetensors -o i.h5")
    shell("sb-query parts/val.mgf --index i.h5 --model model.safetensors --top 0 -o h.tsv")
    assert queries(table(tmp_path / "h.tsv")) == validation
    shell("sb-evaluate h.tsv --truth parts/val.mgf -o metrics.tsv")
    assert value(table(tmp_path / "metrics.tsv"), "lists", "truth_in_candidates") == 1
    wrong = shell("sb-query parts/val.mgf --index i.h5 --model $SMALL/model.safetensors", status=3)
    assert "toy:dimension=32" in wrong.stderr
    assert "morgan" in wrong.stderr


def test_parts_merge_to_the_whole(shell, tmp_path):
    query = "sb-query {0} --index $SMALL/index.h5 --model $SMALL/model.safetensors --top 0 -o {1}"
    shell("sb-split $SMALL/spectra.mgf --parts 3 -o parts/")
    shell("for part in 1 2 3; do " + query.format("parts/000$part.mgf", "h$part.tsv") + "; done")
    shell("sb-merge h1.tsv h2.tsv h3.tsv -o merged.tsv")
    shell(query.format("$SMALL/spectra.mgf", "whole.tsv"))
    assert (tmp_path / "merged.tsv").read_text() == (tmp_path / "whole.tsv").read_text()
