"""Array jobs: shards of each command, merged, are what one process writes; what does not fit is refused."""

import contextlib
import importlib
import io
import logging
import os
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

import specbridge_tools

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def run_command():
    """Run a command in this process, in the folder `cwd`; returns what it writes to stderr."""

    def run(name, *arguments, cwd, status=0):
        main = importlib.import_module(f"specbridge_tools.cli.{name.removeprefix('sb-').replace('-', '_')}").main
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
        root = logging.getLogger()
        logged = root.handlers[:], root.level
        told = io.StringIO()
        folder = Path.cwd()
        try:
            os.chdir(cwd)
            with contextlib.redirect_stderr(told), pytest.raises(SystemExit) as ended:
                main.main([str(argument) for argument in arguments], prog_name=name)
        finally:
            os.chdir(folder)
            root.handlers[:], root.level = logged
            for number, handler in before.items():
                signal.signal(number, handler)
        assert (ended.value.code or 0) == status, told.getvalue()
        return told.getvalue()

    return run


def first_records(path, end, n):
    return end.join(path.read_text().split(end)[:n]) + end


@pytest.fixture(scope="module")
def data(tmp_path_factory, run_command):
    """24 spectra, one of them broken, 240 molecules with repeats, and their index."""
    folder = tmp_path_factory.mktemp("shards")
    spectra = first_records(EXAMPLES / "spectra.mgf", "END IONS\n", 24)
    (folder / "spectra.mgf").write_text(spectra.replace("PEPMASS=", "PEPMASS=x", 1))
    header, *rows = (EXAMPLES / "molecules.tsv").read_text().splitlines()
    rows = rows[:200] + [f"again-{row}" for row in rows[50:90]]
    (folder / "molecules.tsv").write_text("\n".join([header, *rows]) + "\n")
    run_command("sb-embed-mols", "molecules.tsv", "-o", "molecules.h5", cwd=folder)
    run_command("sb-build-index", "molecules.h5", "-o", "index.h5", cwd=folder)
    return folder


def shards_of(run_command, folder, command, count, name, *arguments):
    names = []
    for number in range(1, count + 1):
        names.append(name.format(number))
        run_command(*command, "--shard", f"{number}/{count}", "-o", names[-1], *arguments, cwd=folder)
    return names


def same_columns(first, second):
    with h5py.File(first) as one, h5py.File(second) as other:
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_array_equal(one[name][:], other[name][:], err_msg=name)


@pytest.mark.slow
def test_shards_of_molecules_merge_to_the_whole(data, run_command):
    names = shards_of(run_command, data, ["sb-embed-mols", "molecules.tsv"], 3, "m.{}.h5")
    run_command("sb-merge", *reversed(names), "-o", "m.h5", cwd=data)
    same_columns(data / "m.h5", data / "molecules.h5")
    run_command("sb-build-index", *reversed(names), "-o", "of-parts.h5", cwd=data)
    assert (data / "of-parts.h5").read_bytes() == (data / "index.h5").read_bytes()
    assert "shard 2 of 3 missing" in run_command("sb-build-index", names[0], names[2], "-o", "x.h5", cwd=data, status=3)


@pytest.mark.slow
def test_shards_of_hits_merge_to_the_whole(data, run_command):
    query = ["sb-query", "spectra.mgf", "--index", "index.h5", "--rerank", "0", "--tolerance", "1Da", "--top", "4"]
    run_command(*query, "-o", "hits.tsv", cwd=data)
    names = shards_of(run_command, data, query, 3, "h.{}.tsv")
    run_command("sb-merge", *names, "-o", "merged.tsv", cwd=data)
    assert (data / "merged.tsv").read_bytes() == (data / "hits.tsv").read_bytes()


@pytest.mark.slow
def test_shards_of_reranked_hits_merge_to_the_whole(data, run_command):
    """Shards of a table, parts of one, and those of a search that re-ranks: the same bytes."""
    query = ["sb-query", "spectra.mgf", "--index", "index.h5", "--tolerance", "1Da", "--top", "4"]
    run_command(*query, "--rerank", "0", "-o", "cosine.tsv", cwd=data)
    names = shards_of(run_command, data, [*query, "--rerank", "0"], 3, "c.{}.tsv")
    run_command("sb-rerank", "cosine.tsv", "--spectra", "spectra.mgf", "-o", "reranked.tsv", cwd=data)
    rerank = ["sb-rerank", "cosine.tsv", "--spectra", "spectra.mgf"]
    of_shards = shards_of(run_command, data, rerank, 2, "r.{}.tsv")
    of_parts = [f"p.{i}.tsv" for i in range(3)]
    for name, part in zip(of_parts, names, strict=True):
        run_command("sb-rerank", part, "--spectra", "spectra.mgf", "-o", name, cwd=data)
    for number, parts in enumerate((of_shards, of_parts)):
        run_command("sb-merge", *parts, "-o", f"r{number}.tsv", cwd=data)
        assert (data / f"r{number}.tsv").read_bytes() == (data / "reranked.tsv").read_bytes()
    run_command(*query, "-o", "in-one-step.tsv", cwd=data)
    parts = shards_of(run_command, data, query, 3, "q.{}.tsv")
    run_command("sb-merge", *parts, "-o", "q.tsv", cwd=data)
    assert (data / "q.tsv").read_bytes() == (data / "in-one-step.tsv").read_bytes()


@pytest.mark.slow
def test_shards_of_embedded_spectra(data, run_command):
    run_command("sb-embed-spectra", "spectra.mgf", "-o", "s.h5", cwd=data)
    names = shards_of(run_command, data, ["sb-embed-spectra", "spectra.mgf"], 2, "s.{}.h5")
    run_command("sb-merge", *names, "-o", "s-merged.h5", cwd=data)
    same_columns(data / "s-merged.h5", data / "s.h5")
    query = ["--index", "index.h5", "--tolerance", "1Da", "--top", "4"]
    run_command("sb-query", "s.h5", *query, "-o", "e.tsv", cwd=data)
    of_rows = shards_of(run_command, data, ["sb-query", "s.h5", *query], 2, "e.{}.tsv")
    of_parts = [f"ep.{i}.tsv" for i in range(2)]
    for name, part in zip(of_parts, names, strict=True):
        run_command("sb-query", part, *query, "-o", name, cwd=data)
    for number, parts in enumerate((of_rows, of_parts)):
        run_command("sb-merge", *parts, "-o", f"e{number}.merged.tsv", cwd=data)
        assert (data / f"e{number}.merged.tsv").read_bytes() == (data / "e.tsv").read_bytes()
    assert "is already shard 1/2" in run_command(
        "sb-query", "s.1.h5", *query, "--shard", "1/2", "-o", "x", cwd=data, status=2
    )


@pytest.mark.slow
def test_what_is_not_whole_is_not_merged(data, run_command, tmp_path):
    command = ["sb-embed-spectra", str(data / "spectra.mgf")]
    names = shards_of(run_command, tmp_path, command, 4, "{}.h5")
    merge = ["sb-merge", "-o", "whole.h5"]
    assert "--array=1,3-4" in run_command(*merge, names[1], cwd=tmp_path, status=3)
    assert "both shard 2/4" in run_command(*merge, *names, names[1], cwd=tmp_path, status=3)
    run_command(*command, "-o", "plain.h5", cwd=tmp_path)
    assert "plain.h5 is not" in run_command(*merge, *names, "plain.h5", cwd=tmp_path, status=3)
    run_command(*command, "--shard", "3/4", "--dtype", "float32", "-o", names[2], "--force", cwd=tmp_path)
    assert "same options" in run_command(*merge, *names, cwd=tmp_path, status=3)
    changed = tmp_path / "changed.mgf"
    changed.write_text((data / "spectra.mgf").read_text() + "\n")
    run_command("sb-embed-spectra", "changed.mgf", "--shard", "3/4", "-o", names[2], "--force", cwd=tmp_path)
    assert "3.h5 was not made with the same spectra" in run_command(*merge, *names, cwd=tmp_path, status=3)
    assert not (tmp_path / "whole.h5").exists()


@pytest.mark.slow
def test_what_is_there_is_not_made_again(data, run_command, tmp_path):
    command = ["sb-query", str(data / "spectra.mgf"), "--index", str(data / "index.h5"), "-o", "h.tsv", "--rerank", "0"]
    first = [*command, "--shard", "1/2", "--skip-existing"]
    run_command(*first, cwd=tmp_path)
    before = (tmp_path / "h.tsv").stat()
    assert "exists already, made from the same input" in run_command(*first, "--threads", "1", cwd=tmp_path)
    assert (tmp_path / "h.tsv").stat().st_mtime_ns == before.st_mtime_ns
    assert "is shard 1/2" in run_command(*command, "--shard", "2/2", "--skip-existing", cwd=tmp_path, status=3)
    assert "same options" in run_command(*first, "--top", "3", cwd=tmp_path, status=3)
    assert "exists already" in run_command(*command, "--shard", "1/2", cwd=tmp_path, status=2)
    run_command(*first, "--top", "3", "--force", cwd=tmp_path)
    assert (tmp_path / "h.tsv").stat().st_ino != before.st_ino
    (tmp_path / "h.tsv").write_text("query_id\tscore\tinchikey14\n")
    assert "does not say" in run_command(*first, cwd=tmp_path, status=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shard", "3"], "3/20"),
        (["--shard", "1/2", "--format", "jsonl"], "--format tsv"),
        (["--shard", "1/2", "--group-by", "name"], "several shards"),
    ],
)
def test_shards_that_cannot_be(data, run_command, arguments, message):
    query = ["sb-query", "spectra.mgf", "--index", "index.h5", "-o", "no.tsv", "--rerank", "0"]
    assert message in run_command(*query, *arguments, cwd=data, status=2)


def test_a_pipe_has_no_shards(data, run_command):
    command = ["sb-embed-mols", "-", "--shard", "1/2", "-o", "no.h5"]
    assert "<stdin>: the records of a pipe" in run_command(*command, cwd=data, status=2)
    assert not (data / "no.h5").exists()


def test_no_command_knows_a_scheduler():
    """The script passes the number of its task: variables of Slurm mean something else when tasks run again."""
    package = Path(specbridge_tools.__file__).parent
    names = ("SLURM_", "PBS_", "SGE_TASK", "LSB_JOBINDEX")
    assert not [path for path in package.rglob("*.py") if any(name in path.read_text("utf-8") for name in names)]
