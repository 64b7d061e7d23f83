"""Standardising in worker processes: the same answers, and an end whatever happens."""

import io
import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from specbridge_tools.errors import SpecbridgeError
from specbridge_tools.molecules import pool
from specbridge_tools.molecules.pool import standard_forms, standardise_all
from specbridge_tools.molecules.reader import read_counted, read_molecules

SMILES = ("CCO", "C1CC", "NCC(=O)O", "", "c1ccccc1", "C[C@H](N)C(=O)O")


@pytest.fixture
def small_pool(monkeypatch):
    """Workers from the first structure on, with little in each request."""
    monkeypatch.setattr(pool, "_BEFORE_POOL", 1)
    monkeypatch.setattr(pool, "CHUNK", 4)


def structures(n):
    return [(text, "smiles") for text in itertools.islice(itertools.cycle(SMILES), n)]


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.slow
@pytest.mark.parametrize("fingerprint", [None, (2, 256)])
def test_workers_answer_as_this_process_does(small_pool, fingerprint, new_children):
    expected = standardise_all(structures(90), fingerprint)
    assert list(standard_forms(structures(90), threads=2, fingerprint=fingerprint)) == expected
    assert list(standard_forms(structures(90), threads=1, fingerprint=fingerprint)) == expected
    assert new_children() == []


@pytest.mark.slow
def test_records_keep_their_order_and_rejections_their_place(small_pool):
    table = "id\tsmiles\n" + "".join(f"{i}\t{smiles}\n" for i, (smiles, _) in enumerate(structures(60)))
    parallel = list(read_molecules(io.BytesIO(table.encode()), threads=3))
    assert [record.id for record in parallel] == [str(i) for i in range(60)]
    assert parallel == list(read_molecules(io.BytesIO(table.encode()), threads=1))


def test_counts_come_with_their_molecules(small_pool):
    table = "smiles\nCCO\nC1CC\nCCCC\n"
    (first, counts), (second, none), (third, others) = read_counted(
        io.BytesIO(table.encode()), fingerprint=(0, 512), threads=2
    )
    assert (first.smiles, second.reason, third.smiles) == ("CCO", "structure cannot be read", "CCCC")
    # environments of radius 0: CH3, CH2, OH; CH3 twice and CH2 twice
    assert sorted(counts.values()) == [1, 1, 1]
    assert sorted(others.values()) == [2, 2]
    assert none is None


def test_few_structures_need_no_worker(new_children):
    results = standard_forms(structures(10), threads=4)
    next(results)
    assert new_children() == []


def test_reading_ahead_is_bounded(small_pool):
    seen = itertools.count()
    results = standard_forms((("CCO", "smiles") for _ in iter(lambda: next(seen), None)), threads=2)
    for _ in range(10):
        next(results)
    results.close()
    assert next(seen) < 100


def test_a_worker_that_dies_is_an_error(small_pool, new_children):
    results = standard_forms(iter(lambda: ("CCO", "smiles"), None), threads=2)
    next(results)
    new_children()[0].kill()
    with pytest.raises(SpecbridgeError, match=r"a worker process ended unexpectedly \(status -9\)"):
        list(results)
    assert new_children() == []


def test_no_worker_outlives_an_abandoned_reader(small_pool, new_children):
    results = standard_forms(iter(lambda: ("CCO", "smiles"), None), threads=2)
    next(results)
    assert len(new_children()) == 2
    results.close()
    assert new_children() == []
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


SCRIPT = """
import itertools, sys
from specbridge_tools.molecules import pool
pool._BEFORE_POOL = 1
for i, _ in enumerate(pool.standard_forms(itertools.repeat(("CCO", "smiles")), threads=2)):
    if i == 1000:
        print("running", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_a_script_that_has_no_main_guard(tmp_path, signal_number):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"running\n"
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) == 2
        os.kill(process.pid, signal_number)
        assert process.wait(timeout=20) != 0
        assert wait_until(lambda: not any(worker.is_running() for worker in workers))
        # the script's own traceback, none of a worker's
        assert process.stderr.read().count(b"Traceback") == (signal_number == signal.SIGINT)
