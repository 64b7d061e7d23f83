"""Worker processes: answers in order, nothing imported from the current folder, and an end whatever happens."""

import functools
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from specbridge_tools import worker_pool
from specbridge_tools.errors import DataError, SpecbridgeError, TryAgainError
from specbridge_tools.molecules.formula import mass_of_formula
from specbridge_tools.worker_pool import WorkerPool

PACKAGE_FOLDER = Path(worker_pool.__file__).parents[1]


def keyed(values):
    return zip(itertools.count(), values, strict=False)


def test_answers_come_in_order_with_their_keys(new_children):
    with WorkerPool(3, abs) as pool:
        answers = list(pool.map_in_order(keyed(range(0, -50, -1)), ahead=2))
        assert answers == [(number, number) for number in range(50)]
        assert len(new_children()) == 3
    assert new_children() == []


def test_there_are_no_more_workers_than_requests(new_children):
    with WorkerPool(8, abs) as pool:
        assert list(pool.map_in_order([("a", -1), ("b", -2)], ahead=1)) == [("a", 1), ("b", 2)]
        assert len(new_children()) == 2


@pytest.mark.parametrize(("patience", "n_workers"), [(1000, 1), (0.01, 3)])
def test_there_is_one_worker_until_waiting_for_it_has_taken_long(new_children, patience, n_workers):
    with WorkerPool(3, time.sleep, patience=patience) as pool:
        answers = pool.map_in_order(keyed([0.02] * 20), ahead=2)
        next(answers)
        assert len(new_children()) == 1
        assert [number for number, _ in answers] == list(range(1, 20))
        assert len(new_children()) == n_workers
    assert new_children() == []


def test_reading_ahead_is_bounded():
    requests = itertools.count()
    with WorkerPool(2, abs) as pool:
        answers = pool.map_in_order(((None, number) for number in requests), ahead=3)
        for _ in range(10):
            next(answers)
        assert next(requests) <= 10 + 2 * 3 + 1


def test_what_the_function_raises_is_raised_here(new_children):
    with WorkerPool(2, mass_of_formula) as pool:
        answers = pool.map_in_order(keyed(["CH4", "Xx2", "CH4"]), ahead=1)
        with pytest.raises(DataError, match="no mass for Xx in formula 'Xx2'") as raised:
            list(answers)
    assert "in mass_of_formula" in str(raised.value.__cause__)
    assert new_children() == []


def test_a_worker_that_dies_is_an_error(new_children):
    with WorkerPool(2, time.sleep) as pool:
        answers = pool.map_in_order(((None, 0.05) for _ in itertools.count()), ahead=1)
        next(answers)
        new_children()[0].kill()
        with pytest.raises(SpecbridgeError, match=r"a worker process ended unexpectedly \(status -9\)"):
            list(answers)
    assert new_children() == []


def test_a_worker_that_cannot_be_started_is_worth_another_try(monkeypatch):
    monkeypatch.setattr(worker_pool.sys, "executable", "/nonexistent/python")
    with WorkerPool(2, abs) as pool, pytest.raises(TryAgainError, match="cannot start a worker process"):
        list(pool.map_in_order([(None, 1)], ahead=1))


def test_workers_use_one_thread_and_print_nothing_into_the_output(capfd):
    with WorkerPool(1, os.getenv) as pool:
        assert list(pool.map_in_order([(None, "OMP_NUM_THREADS")], ahead=1)) == [(None, "1")]
    with WorkerPool(1, functools.partial(print, flush=True)) as pool:
        list(pool.map_in_order([(None, "printed")], ahead=1))
    output = capfd.readouterr()
    assert output.out == ""
    assert "printed" in output.err


def test_workers_look_for_modules_where_their_parent_does_but_not_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path.parent
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), ".", str(elsewhere), str(PACKAGE_FOLDER)])
    assert worker_pool._import_folders() == [str(elsewhere), str(PACKAGE_FOLDER)]
    # found by a hook of an editable installation, or through '': this package, and no other of its name
    monkeypatch.setattr(sys, "path", ["", str(elsewhere)])
    assert worker_pool._import_folders() == [str(PACKAGE_FOLDER), str(elsewhere)]
    monkeypatch.chdir(PACKAGE_FOLDER)
    monkeypatch.setattr(sys, "path", [str(elsewhere), str(PACKAGE_FOLDER)])
    assert worker_pool._import_folders() == [str(elsewhere), str(PACKAGE_FOLDER)]


SCRIPT = """
import itertools, sys, threading, time
from specbridge_tools.worker_pool import WorkerPool

def work():
    with WorkerPool(2, time.sleep) as pool:
        for number, _ in pool.map_in_order(((n, 0.01 if n < 4 else {seconds}) for n in itertools.count()), ahead=1):
            if number == 1:
                print("running", flush=True)

{run}
"""
IN_A_THREAD = "thread = threading.Thread(target=work); thread.start(); thread.join()"


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.01, 3600], ids=["short requests", "long requests"])
@pytest.mark.parametrize("run", ["work()", IN_A_THREAD], ids=["main thread", "another thread"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_within_a_second_of_their_parent(tmp_path, number, run, seconds):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(run=run, seconds=seconds))
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"running\n"
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) == 2
        os.kill(process.pid, number)
        assert process.wait(timeout=20) == -number
        # a second, and some for a busy machine
        assert psutil.wait_procs(workers, timeout=5)[1] == []
