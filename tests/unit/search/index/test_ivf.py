import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest

from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.hits.ranking import ranked
from specbridge_tools.search.candidates.open_search import by_ivf, exhaustive
from specbridge_tools.search.index.build import merge_indexes
from specbridge_tools.search.index.ivf import IvfOptions, load_ivf
from specbridge_tools.search.index.reader import index_digest, open_index

pytestmark = pytest.mark.ivf
N, DIMENSION = 3000, 16


@pytest.fixture(scope="module")
def plain(write_index, make_rows, tmp_path_factory):
    """Path of an index of 3,000 molecules in 60 families of like vectors."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(60, DIMENSION))[rng.integers(0, 60, N)] + 0.5 * rng.normal(size=(N, DIMENSION))
    path = tmp_path_factory.mktemp("plain") / "plain.h5"
    return write_index(make_rows(np.linspace(100, 900, N), vectors=vectors), path)


@pytest.fixture(scope="module")
def made(plain, tmp_path_factory):
    """Path of the same index with lists."""
    path = tmp_path_factory.mktemp("made") / "ivf.h5"
    merge_indexes([plain], path, neighbours=IvfOptions(lists=20))
    return path


@pytest.fixture
def copied(made, tmp_path):
    path = tmp_path / "copy.h5"
    path.write_bytes(made.read_bytes())
    return path


@pytest.fixture
def queries(make_query):
    return [make_query(vector, 300.0) for vector in np.random.default_rng(5).normal(size=(100, DIMENSION))]


def recall(index, queries, probes, top=10):
    """How many of the exact `top` best are found, of all."""
    lists = load_ivf(index, probes=probes, threads=1)
    pairs = zip(by_ivf(index, lists, queries, 2 * top), exhaustive(index, queries, top), strict=True)
    found = [len(set(ranked(a).row[:top].tolist()) & set(b.row.tolist())) for a, b in pairs]
    return sum(found) / (top * len(queries))


def test_recall_grows_with_the_lists_that_are_searched(made, queries):
    with open_index(made) as index:
        few, some, every = (recall(index, queries, probes) for probes in (1, 6, 20))
    assert few < 0.7
    assert some > 0.9
    assert every > 0.99  # vectors in the lists are rounded


def test_what_is_written_is_what_faiss_itself_would_write(made, tmp_path):
    import faiss

    with open_index(made) as index:
        (tmp_path / "lists.faiss").write_bytes(index.ivf.read(0, len(index.ivf)).tobytes())
        vectors = index.embedding.read(0, N).astype("f4")
    ours = faiss.read_index(str(tmp_path / "lists.faiss"))
    theirs = faiss.clone_index(ours)
    theirs.reset()
    theirs.add(vectors)
    faiss.write_index(theirs, str(tmp_path / "theirs.faiss"))
    assert (tmp_path / "theirs.faiss").read_bytes() == (tmp_path / "lists.faiss").read_bytes()


def test_blocks_and_threads_do_not_matter(plain, made, tmp_path, monkeypatch):
    monkeypatch.setattr("specbridge_tools.search.index.ivf._BLOCK_VALUES", 100 * DIMENSION)
    merge_indexes([plain], tmp_path / "again.h5", neighbours=IvfOptions(lists=20, threads=2))
    assert (tmp_path / "again.h5").read_bytes() == made.read_bytes()


def test_faiss_keeps_to_its_threads(made):
    import faiss

    for threads in (2, 1):
        with open_index(made) as index:
            load_ivf(index, probes=1, threads=threads)
            assert faiss.omp_get_max_threads() == threads


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs the smaps of Linux")
def test_the_lists_are_mapped_from_the_file_of_the_index(made, queries):
    def mapped():
        return [line for line in Path("/proc/self/smaps").read_text().splitlines() if line.endswith(str(made))]

    with open_index(made) as index:
        assert not mapped()
        lists = load_ivf(index, probes=20, threads=1)
        list(by_ivf(index, lists, queries, 5))
        assert len(mapped()) == 1


def test_the_digest_of_an_index_tells_its_lists(plain, made, tmp_path):
    merge_indexes([plain], tmp_path / "other.h5", neighbours=IvfOptions(lists=21))
    assert len({index_digest(path) for path in (plain, made, tmp_path / "other.h5")}) == 3


@pytest.mark.parametrize("place", [5, 200, -1])
def test_changed_bytes_before_the_lists_are_refused(copied, place):
    with h5py.File(copied, "r+") as file:
        n_head = len(file["ivf"]) - N * (DIMENSION + 8)
        file["ivf"][place % n_head] ^= 1
    with open_index(copied) as index, pytest.raises(FormatError, match="do not match their hash"):
        load_ivf(index, probes=1, threads=1)


def test_a_row_that_there_is_not_is_refused(copied, queries):
    with h5py.File(copied, "r+") as file:
        rows = len(file["ivf"])
        file["ivf"][rows - 1] = 1  # the highest byte of the last row number of the last list
    with open_index(copied) as index, pytest.raises(FormatError, match="the IVF lists are broken"):
        list(by_ivf(index, load_ivf(index, probes=20, threads=1), queries, N))


def test_a_file_that_is_cut_short_is_refused_before_it_is_mapped(copied):
    with open_index(copied) as index:
        with open(copied, "r+b") as file:
            file.truncate(index.ivf.offset + len(index.ivf) - 1)
        with pytest.raises(FormatError, match="ends too early"):
            load_ivf(index, probes=1, threads=1)


def test_lists_that_hold_too_few_are_an_error(made, queries):
    with open_index(made) as index, pytest.raises(DataError, match="fewer than 2000 molecules; raise --ivf-probes"):
        list(by_ivf(index, load_ivf(index, probes=2, threads=1), queries, 2000))


TRAINING = """
import numpy as np
from specbridge_tools.interrupts import end_on_signals
from specbridge_tools.search.index.ivf import _new_lists
end_on_signals()
lists = _new_lists(128, 8000)
vectors = np.random.default_rng(0).normal(size=(64000, 128)).astype("f4")
print("now", flush=True)
lists.train(vectors)
"""


def test_a_signal_ends_the_training_at_once():
    """It is one call into FAISS, of a minute of the processor."""
    process = subprocess.Popen([sys.executable, "-c", TRAINING], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"now\n"
    child = psutil.Process(process.pid)
    before = sum(child.cpu_times()[:2])
    while sum(child.cpu_times()[:2]) < before + 0.5:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    assert process.returncode == 143
    # of the processor, which does not depend on what else the machine does
    assert usage.ru_utime + usage.ru_stime - before < 5


def test_without_faiss_it_is_said_what_to_install(made, plain, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with open_index(made) as index, pytest.raises(UsageError, match=r"pip install 'specbridge_tools\[ivf\]'"):
        load_ivf(index, probes=1, threads=1)
    with pytest.raises(UsageError, match=r"pip install 'specbridge_tools\[ivf\]'"):
        merge_indexes([plain], tmp_path / "x.h5", neighbours=IvfOptions())
    assert list(tmp_path.iterdir()) == []
