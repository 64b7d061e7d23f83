import hashlib

import h5py
import numpy as np
import pytest

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.search.candidates.open_search import by_graph, exhaustive
from specbridge_tools.search.candidates.ranking import ranked
from specbridge_tools.search.index.build import merge_indexes
from specbridge_tools.search.index.hnsw import METRICS, GraphOptions, load_graph
from specbridge_tools.search.index.reader import open_index

pytestmark = pytest.mark.graph


@pytest.fixture
def with_graph(write_index, make_rows, tmp_path):
    """Path of an index of 300 molecules with a graph, by metric."""
    source = write_index(make_rows(np.linspace(100, 900, 300), dimension=16), tmp_path / "plain.h5")

    def build(metric="cosine"):
        path = tmp_path / f"{metric}.h5"
        merge_indexes([source], path, neighbours=GraphOptions(metric=metric, m=24, ef_construction=300))
        return path

    return build


@pytest.mark.parametrize("metric", METRICS)
def test_the_graph_finds_what_exact_search_finds(with_graph, make_query, metric):
    rng = np.random.default_rng(5)
    queries = [make_query(vector, 300.0) for vector in rng.normal(size=(20, 16))]
    with open_index(with_graph(metric)) as index:
        graph = load_graph(index, ef_search=300)
        approximate = [ranked(candidates).row.tolist() for candidates in by_graph(index, graph, queries, 5, threads=1)]
        assert approximate == [ranked(candidates).row.tolist() for candidates in exhaustive(index, queries, 5)]
        assert {"metric": metric, "M": 24, "ef_construction": 300, "seed": 0}.items() <= index.graph_attributes.items()


def test_the_same_molecules_give_the_same_bytes(with_graph, tmp_path):
    first = with_graph().read_bytes()
    (tmp_path / "cosine.h5").unlink()
    assert with_graph().read_bytes() == first


def test_a_changed_graph_is_refused(with_graph):
    path = with_graph()
    with h5py.File(path, "r+") as file:
        file["graph"][1000] ^= 1
    with open_index(path) as index, pytest.raises(FormatError, match="does not match its hash"):
        load_graph(index, ef_search=10)


def test_an_unknown_metric_is_refused(with_graph):
    path = with_graph()
    with h5py.File(path, "r+") as file:
        file["graph"].attrs["metric"] = "l7"
    with open_index(path) as index, pytest.raises(FormatError, match="graph"):
        load_graph(index, ef_search=10)


def test_a_graph_of_garbage_with_the_right_hash_is_refused(with_graph):
    path = with_graph()
    with h5py.File(path, "r+") as file:
        file["graph"][:] = 255
        file["graph"].attrs["sha256"] = hashlib.sha256(file["graph"][:].tobytes()).hexdigest()
    with open_index(path) as index, pytest.raises(FormatError, match="cannot be read by this hnswlib"):
        load_graph(index, ef_search=10)


def test_a_graph_that_leads_to_too_few_is_an_error(with_graph, make_query):
    class Sparse:
        def knn_query(self, vectors, k, num_threads):
            raise RuntimeError("Cannot return the results in a contiguous 2D array. Probably ef or M is too small")

    with open_index(with_graph()) as index, pytest.raises(DataError, match="fewer than 9 molecules; raise --hnsw-ef"):
        list(by_graph(index, Sparse(), [make_query(np.ones(16), 1.0)], 9, threads=1))
