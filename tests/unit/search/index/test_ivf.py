import itertools
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import psutil
import pytest

from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.search.candidates.open_search import by_ivf, exhaustive
from specbridge_tools.search.candidates.ranking import ranked
from specbridge_tools.search.index.build import merge_indexes
from specbridge_tools.search.index.exact_scores import exact_scores
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


def recall(index, queries, nprobe, top=10):
    """How many of the exact `top` best are found, of all."""
    lists = load_ivf(index, nprobe=nprobe)
    pairs = zip(by_ivf(index, lists, queries, 2 * top), exhaustive(index, queries, top), strict=True)
    n_found = [len(set(ranked(a).row[:top].tolist()) & set(b.row.tolist())) for a, b in pairs]
    return sum(n_found) / (top * len(queries))


@pytest.mark.slow
def test_recall_grows_with_the_lists_that_are_searched(made, queries):
    with open_index(made) as index:
        few, some, all_lists = (recall(index, queries, nprobe) for nprobe in (1, 6, 20))
    assert few < 0.7
    assert some > 0.9
    assert all_lists == 1


def test_each_molecule_is_in_the_list_of_its_nearest_centroid(made):
    """The bytes are where the documentation says."""
    with h5py.File(made) as file:
        centroids, offsets, rows, vectors, embedding = (
            file[name][:] for name in ("ivf_centroids", "ivf_offsets", "ivf_rows", "ivf_embedding", "embedding")
        )
        assert dict(file["ivf_centroids"].attrs) == {"lists": 20}
        assert all(file[name].id.get_offset() for name in file if name.startswith("ivf_"))
    assert (offsets[0], offsets[-1]) == (0, N)
    assert np.array_equal(np.sort(rows), np.arange(N))
    assert np.array_equal(vectors, embedding[rows])
    nearest = exact_scores(vectors, centroids).argmax(axis=1)
    assert np.array_equal(nearest, np.repeat(np.arange(20), np.diff(offsets)))
    for low, high in itertools.pairwise(offsets):
        assert (np.diff(rows[low:high]) > 0).all()


@pytest.mark.parametrize("nprobe", [1, 3, 20])
def test_what_is_found_are_the_best_of_the_lists_whatever_the_batch(made, queries, nprobe, monkeypatch):
    with open_index(made) as index:
        lists = load_ivf(index, nprobe=nprobe)
        centroids = index.ivf.centroids.read(0, 20)
        offsets, rows = index.ivf.offsets.read(0, 21), index.ivf.rows.read(0, N)
        together = list(by_ivf(index, lists, queries, 30))
        monkeypatch.setattr("specbridge_tools.search.index.ivf._SCORES_HELD", 1)
        monkeypatch.setattr("specbridge_tools.search.index.ivf._BLOCK_VALUES", 70 * DIMENSION)
        for query, candidates in zip(queries, together, strict=True):
            (alone,) = by_ivf(index, lists, [query], 30)
            assert np.array_equal(alone.row, candidates.row)
            assert np.array_equal(alone.score, candidates.score)
            order = np.argsort(-exact_scores(centroids, query.vector[None])[:, 0], kind="stable")[:nprobe]
            searched = np.sort(np.concatenate([rows[offsets[i] : offsets[i + 1]] for i in order]))
            scores = exact_scores(index.embedding.take(searched), query.vector[None])[:, 0]
            best = np.sort(np.lexsort((searched, -scores))[:30])
            assert np.array_equal(candidates.row, searched[best])
            assert np.array_equal(candidates.score, scores[best])


def test_blocks_and_threads_do_not_matter(plain, made, tmp_path, monkeypatch):
    monkeypatch.setattr("specbridge_tools.search.index.ivf._BLOCK_VALUES", 100 * DIMENSION)
    merge_indexes([plain], tmp_path / "again.h5", neighbours=IvfOptions(lists=20, threads=2))
    assert (tmp_path / "again.h5").read_bytes() == made.read_bytes()


def test_faiss_gets_back_its_threads(plain, tmp_path):
    import faiss

    before = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(3)
        merge_indexes([plain], tmp_path / "again.h5", neighbours=IvfOptions(lists=2))
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)


def test_few_molecules_have_few_lists(write_index, make_rows, tmp_path):
    """As many as there are molecules at most, and a vector of zeros is in one as well."""
    vectors = np.zeros((3, 8))
    vectors[1:] = np.eye(2, 8)
    path = write_index(make_rows([1.0, 2.0, 3.0], vectors=vectors), tmp_path / "plain.h5")
    merge_indexes([path], tmp_path / "few.h5", neighbours=IvfOptions(lists=50))
    with open_index(tmp_path / "few.h5") as index:
        assert len(index.ivf.centroids) == 3
        ((rows, scores),) = load_ivf(index, nprobe=50).search(np.eye(1, 8), 3)
    assert (rows.tolist(), scores.tolist()) == ([0, 1, 2], [0, 1, 0])


def test_the_digest_of_an_index_tells_its_lists(plain, made, tmp_path):
    merge_indexes([plain], tmp_path / "other.h5", neighbours=IvfOptions(lists=21))
    assert len({index_digest(path) for path in (plain, made, tmp_path / "other.h5")}) == 3


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [("ivf_offsets", 3, N + 1), ("ivf_offsets", 3, -1), ("ivf_offsets", 20, N - 1), ("ivf_centroids", 3, np.nan)],
)
def test_broken_lists_are_refused(copied, name, place, value):
    with h5py.File(copied, "r+") as file:
        file[name][place] = value
    with (
        open_index(copied) as index,
        pytest.raises(FormatError, match=r"lists are broken|ivf_centroids is nan"),
    ):
        load_ivf(index, nprobe=1)


@pytest.mark.parametrize("row", [N, -1])
def test_a_row_that_does_not_exist_is_refused(copied, queries, row):
    with h5py.File(copied, "r+") as file:
        file["ivf_rows"][17] = row
    with (
        open_index(copied) as index,
        pytest.raises(FormatError, match=r"lists are broken|ivf_centroids is nan"),
    ):
        list(by_ivf(index, load_ivf(index, nprobe=20), queries, N))


def test_a_missing_column_is_refused(copied):
    with h5py.File(copied, "r+") as file:
        del file["ivf_rows"]
    with pytest.raises(FormatError, match="dataset ivf_rows is missing"):
        open_index(copied)


def test_lists_of_an_older_version_are_refused_by_name(plain, tmp_path):
    path = tmp_path / "old.h5"
    path.write_bytes(plain.read_bytes())
    with h5py.File(path, "r+") as file:
        file["ivf"] = np.zeros(100, "u1")
    with pytest.raises(FormatError, match=r"inverted lists are of an older version.*build the index again with --ivf"):
        open_index(path)


def test_a_file_that_is_cut_short_while_open_is_an_error(copied, queries):
    with open_index(copied) as index:
        lists = load_ivf(index, nprobe=20)
        os.truncate(copied, index.ivf.embedding.offset)
        with pytest.raises(FormatError, match="ends too early"):
            list(by_ivf(index, lists, queries, 10))


def test_lists_that_hold_too_few_are_an_error(made, queries):
    with open_index(made) as index, pytest.raises(DataError, match="fewer than 2000 molecules; raise --ivf-probes"):
        list(by_ivf(index, load_ivf(index, nprobe=2), queries, 2000))


def test_an_index_without_lists_is_refused(plain):
    with open_index(plain) as index, pytest.raises(UsageError, match=r"has no inverted lists; build .* with --ivf"):
        load_ivf(index, nprobe=2)


TRAINING = """
import numpy as np
from specbridge_tools.interrupts import end_on_signals
from specbridge_tools.search.index.ivf import _centroids

class Vectors:
    shape = (320000, 128)
    def __len__(self):
        return 320000
    def read(self, low, high):
        return np.random.default_rng(low).normal(size=(high - low, 128)).astype("f4")

end_on_signals()
import faiss
print("now", flush=True)
_centroids(Vectors(), 8000)
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


def test_without_faiss_lists_are_searched_and_not_built(made, plain, queries, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with open_index(made) as index:
        assert len(list(by_ivf(index, load_ivf(index, nprobe=1), queries, 5))) == len(queries)
    with pytest.raises(UsageError, match=r"faiss-cpu, which is not installed; pip install 'specbridge_tools\[ivf\]'"):
        merge_indexes([plain], tmp_path / "x.h5", neighbours=IvfOptions())
    assert list(tmp_path.iterdir()) == []
