"""Whose temporary files are removed, and whose stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from specbridge_tools import temporary
from specbridge_tools.streams import output_path
from specbridge_tools.temporary import temporary_path

KILLED = """
import os, sys, pathlib
from specbridge_tools.temporary import temporary_path
with temporary_path(pathlib.Path(sys.argv[1])) as path:
    path.touch()
    folder = path.with_name(f"{path.name}.x.runs")
    folder.mkdir()
    (folder / "run-0.h5").touch()
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def left(tmp_path):
    """The names of what a killed process has left for `tmp_path / "out"`."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    return {path.name for path in tmp_path.iterdir()}


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, left):
    with output_path(tmp_path / "other") as mine:
        mine.write_text("x")
    assert names(tmp_path) == {"other"} | left
    with output_path(tmp_path / "out") as mine:
        mine.write_text("x")
    assert names(tmp_path) == {"other", "out"}


def test_a_process_that_has_the_number_of_an_ended_one_is_another(tmp_path, left, monkeypatch):
    """Numbers are given again; the time of the start tells."""
    ended = min(left).split(".")[-2]
    process, started, _ = ended.split("-")
    reused = tmp_path / min(left).replace(f"{process}-{started}", f"{os.getppid()}-1")
    reused.touch()
    running = temporary._started(os.getppid())
    alive = tmp_path / min(left).replace(f"{process}-{started}", f"{os.getppid()}-{running}")
    alive.touch()
    with temporary_path(tmp_path / "out"):
        pass
    assert names(tmp_path) == ({alive.name} if running else {alive.name, reused.name})


@pytest.mark.parametrize("machine", ["elsewhere", "elsewhere-4026531836"])
def test_what_another_machine_left_stays(tmp_path, left, monkeypatch, machine):
    """Its processes cannot be seen: a folder may be shared by many machines, whose host names say little."""
    monkeypatch.setattr(temporary, "_machine", lambda: machine)
    with temporary_path(tmp_path / "out"):
        pass
    assert names(tmp_path) == left


def test_two_of_one_process_are_two_files(tmp_path):
    with temporary_path(tmp_path / "out") as first, temporary_path(tmp_path / "out") as second:
        first.touch()
        second.touch()
    assert names(tmp_path) == set()


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path, monkeypatch):
    """In a folder for all a name that can be guessed may be anything."""
    monkeypatch.setattr(os, "urandom", bytes)
    target = tmp_path / "target"
    target.write_text("kept")
    with temporary_path(tmp_path / "out") as path:
        pass
    path.symlink_to(target)
    with pytest.raises(FileExistsError), output_path(tmp_path / "out"):
        pass
    assert target.read_text() == "kept"


def test_the_copy_of_a_pipe_is_its_owners(tmp_path):
    code = (
        "from specbridge_tools.streams import seekable_input\n"
        "with seekable_input('-') as path: print(path.stat().st_mode & 0o777, path.parent)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], input=b"x", capture_output=True, env=environment, check=True)
    assert done.stdout.decode().split() == [str(0o600), str(tmp_path)]
    assert names(tmp_path) == set()
    assert Path(tmp_path).is_dir()
