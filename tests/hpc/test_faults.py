"""What goes wrong on clusters, each for real: on Slurm, or on processes of our own."""

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

SLURM = Path(__file__).parents[2] / "examples" / "cluster" / "slurm"


def start(*command, **settings):
    settings = {"stderr": subprocess.PIPE, "text": True, **settings}
    return subprocess.Popen([str(word) for word in command], **settings)


@pytest.fixture(scope="module")
def long(data, tmp_path_factory, sb):
    """A folder with spectra that take some seconds, and the hits of one process."""
    folder = tmp_path_factory.mktemp("long")
    (folder / "spectra.mgf").write_text((data / "spectra.mgf").read_text() * 100)
    sb("sb-query", "spectra.mgf", "--index", data / "index.h5", "--rerank", "0", "-o", "hits.tsv", cwd=folder)
    return folder


def query(data, long, *arguments):
    return ["sb-query", long / "spectra.mgf", "--index", data / "index.h5", "--rerank", "0", *arguments]


def test_killed_at_ten_moments(data, long, tmp_path, sb):
    """What is there under its name is whole, what is left behind is cleared away, and the merged whole is right."""
    moments = random.Random(0)
    tasks = [
        query(data, long, "--shard", f"{i}/10", "-o", tmp_path / f"{i}.tsv", "--skip-existing") for i in range(1, 11)
    ]
    seconds = seconds_of(sb, tasks[0])
    (tmp_path / "1.tsv").unlink()
    n_killed = 0
    for task in tasks:
        process = start(*task)
        time.sleep(moments.uniform(0.2, 0.95) * seconds)
        process.kill()
        process.communicate()
        n_killed += process.returncode == -signal.SIGKILL
        # how long a task takes changes with what else the machine does; it has little to do where the kill came late
        if process.returncode:
            seconds = seconds_of(sb, task)
    assert n_killed >= 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{i}.tsv" for i in range(1, 11))
    sb("sb-merge", *tmp_path.glob("*.tsv"), "-o", tmp_path / "whole.tsv")
    assert (tmp_path / "whole.tsv").read_bytes() == (long / "hits.tsv").read_bytes()


def seconds_of(sb, task):
    began = time.monotonic()
    sb(*task)
    return time.monotonic() - began


def test_killed_while_embedding_and_building(data, tmp_path, sb):
    embed = ["sb-embed-mols", data / "molecules.tsv", "-o", tmp_path / "m.h5", "--force"]
    build = ["sb-build-index", data / "molecules.h5", "-o", tmp_path / "i.h5", "--force", "--memory", "1"]
    for command in (embed, build):
        for delay in (0.5, 0.8, 1.2):
            process = start(*command)
            time.sleep(delay)
            process.kill()
            process.communicate()
        sb(*command)
    assert (tmp_path / "i.h5").read_bytes() == (data / "index.h5").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i.h5", "m.h5"]


def test_a_node_dies(slurm, data, long, tmp_path):
    """The job goes to another node; the process that the dead node has left cannot spoil what that one wrote."""
    arguments = [long / "spectra.mgf", data / "index.h5", tmp_path, "--rerank", "0"]
    job = slurm.run("sbatch", "--parsable", "--array=1", SLURM / "query.sbatch", *arguments, cwd=tmp_path)
    orphan = wait_for(lambda: _writer_of(tmp_path / "hits.1.tsv"))
    node = slurm.detail(f"{job}_1", "NodeList")
    slurm.kill_node(node)
    # a process that is stopped when its parent dies would be hung up on
    wait_for(lambda: Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[1] == "1")
    os.kill(orphan, signal.SIGSTOP)
    try:
        assert slurm.wait(job, seconds=120) == ["COMPLETED"]
        assert slurm.detail(f"{job}_1", "NodeList") != node
        whole = (tmp_path / "hits.1.tsv").read_bytes()
    finally:
        os.kill(orphan, signal.SIGCONT)
        slurm.start_node(node)
    wait_for(lambda: not _is_running(orphan), seconds=60)
    assert (tmp_path / "hits.1.tsv").read_bytes() == whole
    rows = len((long / "hits.tsv").read_bytes().split(b"\n"))
    assert rows / 9 < len(whole.split(b"\n")) < rows / 7
    assert not list(tmp_path.glob(".*"))
    wait_for(lambda: slurm.run("sinfo", "-h", "-n", node, "-o", "%T") == "idle")


def _writer_of(output):
    """The process that writes a temporary file for this output, or None."""
    found = [re.search(r"(\d+)-\d+-[0-9a-f]+\.tmp$", path.name) for path in output.parent.glob(f".{output.name}.*.tmp")]
    return next((int(match[1]) for match in found if match), None)


def _is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def wait_for(value, *, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := value():
            return found
        time.sleep(0.05)
    raise AssertionError("has not happened")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_the_disk_is_full(data, long, small_disk, sb):
    """A clear message, status 75, nothing left."""
    for command in (
        ["sb-embed-mols", data / "molecules.tsv", "-o", small_disk / "m.h5"],
        ["sb-embed-spectra", data / "spectra.mgf", "-o", small_disk / "s.h5", "--dtype", "float32"],
        ["sb-build-index", data / "molecules.h5", "-o", small_disk / "i.h5"],
        ["sb-build-index", data / "molecules.h5", "-o", small_disk / "i.h5", "--ivf"],
        query(data, long, "-o", small_disk / "h.tsv"),
        ["sb-merge", long / "hits.tsv", "-o", small_disk / "h.tsv"],
    ):
        told = sb(*command, status=75)
        assert told.count("\n") == 1
        assert "No space left on device" in told
        assert list(small_disk.iterdir()) == []


def test_slurm_runs_again_what_ends_with_75(slurm, data, long, small_disk, tmp_path):
    arguments = [
        long / "spectra.mgf",
        data / "index.h5",
        small_disk,
        "--rerank",
        "0",
        "--top",
        "0",
        "--tolerance",
        "20Da",
    ]
    job = slurm.run("sbatch", "--parsable", "--array=1", SLURM / "query.sbatch", *arguments, cwd=tmp_path)
    log = tmp_path / f"sb-query-{job}_1.log"
    wait_for(lambda: log.exists() and "No space left" in log.read_text())
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    assert slurm.wait(job) == ["COMPLETED"], log.read_text() + slurm.run("scontrol", "show", "job", job)
    assert int(slurm.detail(f"{job}_1", "Restarts")) >= 1
    assert (small_disk / "hits.1.tsv").exists()


def test_two_tasks_write_one_output(data, long, tmp_path):
    """One wins, whole; the other says so."""
    processes = [start(*query(data, long, "-o", tmp_path / "hits.tsv")) for _ in range(2)]
    told = [process.communicate()[1] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2]
    assert any("was written by another process meanwhile" in text for text in told)
    assert (tmp_path / "hits.tsv").read_bytes() == (long / "hits.tsv").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["hits.tsv"]


def test_the_input_changes_between_shards(data, tmp_path, sb):
    """The merge refuses, and says what differs."""
    spectra = tmp_path / "spectra.mgf"
    spectra.write_text((data / "spectra.mgf").read_text())
    for number in (1, 2):
        task = ["sb-query", spectra, "--index", data / "index.h5", "--rerank", "0", "--shard", f"{number}/2"]
        sb(*task, "-o", tmp_path / f"{number}.tsv")
        spectra.write_text(spectra.read_text().replace("PEPMASS=1", "PEPMASS=2", 1))
    told = sb("sb-merge", tmp_path / "1.tsv", tmp_path / "2.tsv", "-o", tmp_path / "whole.tsv", status=3)
    assert "2.tsv was not made with the same spectra" in told
    assert not (tmp_path / "whole.tsv").exists()


@pytest.fixture(scope="module")
def endless(data, tmp_path_factory):
    """A folder with so many spectra and molecules that no command comes to their end while a test runs."""
    folder = tmp_path_factory.mktemp("endless")
    (folder / "spectra.mgf").write_text((data / "spectra.mgf").read_text() * 3000)
    lines = (data / "molecules.tsv").read_text().splitlines(keepends=True)
    (folder / "molecules.tsv").write_text("".join([lines[0], *lines[1:] * 200]))
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_told_to_end(data, endless, tmp_path, number):
    """Within 5 s, with nothing left behind. The inputs would keep the commands busy for a minute or more."""
    spectra, molecules, output = endless / "spectra.mgf", endless / "molecules.tsv", tmp_path / "output"
    commands = [
        ["sb-query", spectra, "--index", data / "index.h5", "--rerank", "0", "-o", output],
        ["sb-query", spectra, "--index", data / "index.h5", "-o", output, "--threads", "2"],
        ["sb-embed-spectra", spectra, "-o", output],
        ["sb-embed-mols", molecules, "-o", output, "--threads", "2"],
    ]
    for command in commands:
        process = start(*command)
        wait_for(lambda: list(tmp_path.iterdir()))
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(number)
        told = process.communicate(timeout=20)[1]
        assert time.monotonic() - began < 5
        assert process.returncode == 128 + number, told
        assert "Traceback" not in told
        assert list(tmp_path.iterdir()) == []
