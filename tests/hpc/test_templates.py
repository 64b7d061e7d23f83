"""The templates of examples/cluster/, run end to end."""

import csv
import json
import re
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CLUSTER = EXAMPLES / "cluster"
SLURM = CLUSTER / "slurm"
SPECTRA_MOLECULES = EXAMPLES / "molecules.tsv"


def test_the_whole_way_by_slurm(slurm, data, tmp_path):
    """8 parts over 4 nodes give the hits of one process, byte for byte; run again, nothing is made again."""
    command = (SLURM / "submit.sh", data / "molecules.tsv", data / "spectra.mgf", tmp_path, "--rerank", "0")
    assert slurm.wait(*slurm.run(*command).split()) == ["COMPLETED"]
    assert (tmp_path / "hits.tsv").read_bytes() == (data / "hits.tsv").read_bytes()
    assert (tmp_path / "index.h5").read_bytes() == (data / "index.h5").read_bytes()
    assert len(set(re.findall(r"NodeList=(n\d)", slurm.run("scontrol", "show", "job", "-o")))) == 4
    assert len(list(tmp_path.glob("hits.*.tsv"))) == 8
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.[1-8].*")}
    assert slurm.wait(*slurm.run(*command).split()) == ["COMPLETED"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.[1-8].*")} == before
    assert not list(tmp_path.glob(".*"))


def test_the_library_that_ships_by_slurm(slurm, data, tmp_path, sb):
    """One job builds the index ahead; the hits are those of one process."""
    jobs = slurm.run(SLURM / "submit.sh", "library", data / "spectra.mgf", tmp_path, "--rerank", "0").split()
    assert len(jobs) == 3
    assert slurm.wait(*jobs) == ["COMPLETED"]
    sb(
        "sb-query",
        data / "spectra.mgf",
        "--index",
        tmp_path / "index.h5",
        "--rerank",
        "0",
        "-o",
        "one.tsv",
        cwd=tmp_path,
    )
    assert (tmp_path / "hits.tsv").read_bytes() == (tmp_path / "one.tsv").read_bytes()


def test_one_task_of_eight_fails(slurm, data, tmp_path):
    """The merge does not run, the message names the shard; --array of that shard, and all is well."""
    (tmp_path / "hits.3.tsv").mkdir()
    query = slurm.run(
        "sbatch", "--parsable", SLURM / "query.sbatch", data / "spectra.mgf", data / "index.h5", tmp_path,
        "--rerank", "0", cwd=tmp_path,
    )  # fmt: skip
    parts = [tmp_path / f"hits.{i}.tsv" for i in range(1, 9)]
    merge = ["sb-merge", *parts, "-o", tmp_path / "hits.tsv"]
    after = ["--dependency=afterok:" + query, "--kill-on-invalid-dep=yes"]
    job = slurm.run("sbatch", "--parsable", *after, SLURM / "merge.sbatch", *merge, cwd=tmp_path)
    assert slurm.wait(query) == ["COMPLETED", "FAILED"]
    assert slurm.wait(job) == ["CANCELLED"]
    assert not (tmp_path / "hits.tsv").exists()
    assert "sb-query: shard 3/8: error: " in (tmp_path / f"sb-query-{query}_3.log").read_text()
    (tmp_path / "hits.3.tsv").rmdir()
    done = subprocess.run([str(word) for word in merge], capture_output=True, text=True, check=False)
    assert (done.returncode, "--array=3" in done.stderr) == (3, True)
    again = slurm.run(
        "sbatch", "--parsable", "--array=3", SLURM / "query.sbatch", data / "spectra.mgf", data / "index.h5", tmp_path,
        "--rerank", "0", cwd=tmp_path,
    )  # fmt: skip
    assert slurm.wait(again) == ["COMPLETED"]
    slurm.run(*merge)
    assert (tmp_path / "hits.tsv").read_bytes() == (data / "hits.tsv").read_bytes()


TIMES = """
import json, sys, time
from specbridge_tools.cli.query import main

def seconds(shard):
    began = time.process_time()
    main([*sys.argv[1:], "--shard", shard], standalone_mode=False)
    return time.process_time() - began

seconds("50/100")  # imports
print(json.dumps([[seconds(shard) for shard in ("50/100", "4/6", "1/1")] for _ in range(5)]))
"""


@pytest.mark.timeout(900)
def test_the_time_of_a_shard(data, tmp_path, capsys):
    """A spectrum in a shard of 1,067 costs what one in a long run does, the start left out; printed.

    The imports are done beforehand; what else starts a task (model, digests, counting) is taken from a shard of 64.
    Time is that of the processor, which others on the machine change little, in turns, the least of five.
    """
    (tmp_path / "long.mgf").write_text((data / "spectra.mgf").read_text() * 100)
    asked = [
        "long.mgf",
        "--index",
        data / "index.h5",
        "--rerank",
        "0",
        "--threads",
        "1",
        "-q",
        "--force",
        "-o",
        "h.tsv",
    ]
    command = [sys.executable, "-c", TIMES, *map(str, asked)]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    start, shard, whole = (min(seconds) for seconds in zip(*json.loads(done.stdout), strict=True))
    in_shard, in_whole = (shard - start) / (6400 / 6 - 64), (whole - start) / (6400 - 64)
    with capsys.disabled():
        print(
            f"\nms of CPU a spectrum: {in_shard * 1e3:.2f} in a shard of 1,067, {in_whole * 1e3:.2f} in 6,400", end=""
        )
        print(f" ({in_shard / in_whole - 1:+.0%}); start {start * 1e3:.0f} ms")
    assert in_shard < 1.2 * in_whole


@pytest.mark.skipif(not shutil.which("parallel"), reason="needs GNU parallel")
def test_gnu_parallel(data, tmp_path, sb):
    sb(CLUSTER / "parallel.sh", data / "spectra.mgf", data / "index.h5", tmp_path, "--rerank", "0")

    def table(path):
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.reader(file, delimiter="\t"))

    assert table(tmp_path / "hits.tsv") == table(data / "hits.tsv")


@pytest.mark.parametrize(
    "module", sorted((CLUSTER / "nextflow" / "modules").rglob("main.nf")), ids=lambda p: p.parent.name
)
def test_nextflow_scripts(module, data, tmp_path):
    """Without Nextflow: the lines of `script:` as it would write them, run by the shell."""
    text = module.read_text()
    for name in ("process", "tag", "label", "conda", "container", "input:", "output:", "when:", "script:", "stub:"):
        assert name in text
    script = text.partition("script:")[2].partition('"""')[2].partition('"""')[0]
    values = {"spectra": data / "spectra.mgf", "index": data / "index.h5", "molecules": data / "molecules.tsv"}
    values |= {"hits": data / "hits.tsv", "embeddings": data / "molecules.h5", "parts": data / "hits.tsv"}
    values |= {"prefix": "test", "args": "", "shard": "1/1", "task.cpus": "1", "task.process": "TEST"}
    script = re.sub(r"\$\{([\w.]+)\}", lambda match: str(values[match[1]]), script)
    script = textwrap.dedent(script).replace("\\$", "$").replace("\\\\", "\\")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    outputs = re.findall(r'path\("\$\{prefix\}([^"]*)"\)', text)
    assert all((tmp_path / f"test{suffix}").stat().st_size for suffix in outputs)
    assert "specbridge_tools: 0." in (tmp_path / "versions.yml").read_text()


@pytest.mark.skipif(not shutil.which("snakemake"), reason="needs Snakemake")
@pytest.mark.parametrize("profile", ["", "profiles/slurm"])
def test_snakemake(slurm, data, tmp_path, profile):
    # without a database of jobs Slurm is asked by squeue
    told = ["--slurm-no-account", "--slurm-status-command=squeue", "--slurm-init-seconds-before-status-checks=2"]
    told.append("--seconds-between-status-checks=2")
    options = ["--profile", CLUSTER / "snakemake" / profile, *told] if profile else []
    settings = [f"molecules={data / 'molecules.tsv'}", f"spectra={data / 'spectra.mgf'}", "parts=2"]
    command = ["snakemake", "--snakefile", CLUSTER / "snakemake" / "Snakefile", "--cores", "2", *options]
    slurm.run(*command, "--directory", tmp_path, "--config", *settings, "options=--rerank 0", timeout=250)
    assert (tmp_path / "hits.tsv").read_bytes() == (data / "hits.tsv").read_bytes()


@pytest.fixture
def training(data, tmp_path, sb):
    """Arguments of sb-finetune for a small model."""
    sb("sb-split", data / "spectra.mgf", "--by", "molecule", "--fractions", "0.7,0.3", "-o", f"{tmp_path}/")
    sb("sb-embed-mols", SPECTRA_MOLECULES, "-o", tmp_path / "m.h5", "--encoder", "toy")
    small = "dreams:d_peak=8,d_fourier=24,n_heads=2,fourier_hidden=16,n_layers=1,n_peaks=8,mass_tokens=50"
    arguments = [tmp_path / "train.mgf", "--validation", tmp_path / "val.mgf", "--molecules", tmp_path / "m.h5"]
    arguments += ["--spectral-encoder", small, "--projector-hidden", "16", "--device", "cpu"]
    return [*arguments, "--batch-size", "8", "--tolerance", "1e6ppm"]


def history(path):
    with open(f"{path}.history.tsv", encoding="utf-8") as file:
        return [{**row, "seconds": ""} for row in csv.DictReader(file, delimiter="\t")]


def test_finetune_by_torchrun_alone(training, tmp_path, sb):
    """Two processes without a scheduler; one of them writes and tells, as one process alone does."""
    for name, launcher in (("alone", []), ("two", ["torchrun", "--standalone", "--nproc-per-node=2", "--no-python"])):
        output = ["-o", tmp_path / name, "--history", tmp_path / f"{name}.history.tsv"]
        told = sb(*launcher, "sb-finetune", *training, "--epochs", "2", "--threads", "1", *output)
        assert [told.count(words) for words in (" epoch 1 ", " epoch 2 ", "64 spectra read")] == [1, 1, 1]
        assert [row["epoch"] for row in history(tmp_path / name)] == ["1", "2"]
        assert "n_parameters" in subprocess.run(["sb-info", tmp_path / name], capture_output=True, text=True).stdout


def test_finetune(slurm, training, tmp_path):
    """torchrun in two processes on two nodes; a signal ends it with a checkpoint, and it goes on from there."""

    def submit(name):
        output = ["-o", tmp_path / name, "--history", tmp_path / f"{name}.history.tsv"]
        return slurm.run(
            "sbatch", "--parsable", SLURM / "finetune.sbatch", *training, "--epochs", "40", *output, cwd=tmp_path
        )

    assert slurm.wait(submit("whole")) == ["COMPLETED"]
    job = submit("parts")
    checkpoint = tmp_path / "parts.checkpoint"
    while not checkpoint.exists():
        time.sleep(0.02)
    slurm.run("scancel", "--signal=TERM", job)
    assert slurm.wait(job) == ["FAILED"]
    assert checkpoint.exists()
    assert not (tmp_path / "parts").exists()
    job = submit("parts")
    assert slurm.wait(job) == ["COMPLETED"]
    assert "going on after epoch" in (tmp_path / f"sb-finetune-{job}.log").read_text()
    assert not checkpoint.exists()

    assert history(tmp_path / "parts") == history(tmp_path / "whole")
