"""What every index must do, however it was built."""

import math
import types

import numpy as np
import pytest

from specbridge_tools.embeddings.molecules import create_molecule_embeddings
from specbridge_tools.molecules.adducts import parse_adduct
from specbridge_tools.search.candidates.open_search import by_graph, by_ivf, exhaustive
from specbridge_tools.search.candidates.query import Query
from specbridge_tools.search.candidates.ranking import competition_ranks, ranked
from specbridge_tools.search.candidates.retrieve import by_formula, by_mass
from specbridge_tools.search.candidates.tolerance import Tolerance
from specbridge_tools.search.index.build import build_index, merge_indexes
from specbridge_tools.search.index.exact_scores import on_grid
from specbridge_tools.search.index.hnsw import GraphOptions, load_graph
from specbridge_tools.search.index.ivf import IvfOptions, load_ivf
from specbridge_tools.search.index.reader import open_index

N, DIMENSION = 400, 24
ENCODER = types.SimpleNamespace(name="random", weights_sha256="0" * 64, dimension=DIMENSION)
FORMULAS = {"C4H10O": 74.0731650, "C2H5NO2": 75.0320284, "C6H6": 78.0469502}


def one_file(parts, target, **options):
    build_index([parts["all"]], target, **options)


def two_files(parts, target, **options):
    build_index([parts["second"], parts["first"]], target, **options)


def little_memory(parts, target, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specbridge_tools.search.index.sorted_runs.rows_in_memory", lambda *_: 37)
        one_file(parts, target, **options)


def merged(parts, target, **options):
    halves = [target.with_suffix(f".{name}") for name in ("first", "second")]
    neighbours = options.pop("neighbours", None)
    for half in halves:
        build_index([parts[half.suffix[1:]]], half, **options)
    merge_indexes(halves, target, neighbours=neighbours)


KINDS = {
    "float16": (one_file, {}),
    "float32": (one_file, {"dtype": "float32"}),
    "two files": (two_files, {}),
    "little memory": (little_memory, {}),
    "merged": (merged, {"dtype": "float32"}),
    "cosine graph": (one_file, {"neighbours": GraphOptions(m=24, ef_construction=400)}),
    "merged graph": (merged, {"neighbours": GraphOptions("ip", m=24, ef_construction=400)}),
    "ivf": (one_file, {"neighbours": IvfOptions()}),
    "ivf, little memory": (little_memory, {"neighbours": IvfOptions(lists=7)}),
    "merged ivf": (merged, {"neighbours": IvfOptions(lists=25)}),
}


def molecules():
    """Columns of molecules of which many share mass and vector, so that ties and near-ties abound."""
    rng = np.random.default_rng(0)
    formulas = rng.choice(list(FORMULAS), N)
    vectors = rng.normal(size=(40, DIMENSION))[rng.integers(0, 40, N)].astype("f4")
    nudged = rng.random(N) < 0.5
    vectors[nudged, 0] = np.nextafter(vectors[nudged, 0], np.float32(9))
    ids = np.array([f"M{i}" for i in range(N)], object)
    return {
        "embedding": vectors,
        "exact_mass": np.array([FORMULAS[formula] for formula in formulas]) + rng.integers(-2, 3, N) * 0.0004,
        "inchikey14": np.array([f"{i:014d}" for i in rng.permutation(N)], "S14"),
        "formula": formulas.astype(object),
        "truncated": np.zeros(N, "u1"),
        **dict.fromkeys(("id", "all_ids", "name"), ids),
        **dict.fromkeys(("smiles", "isomeric_smiles"), np.array([f"C{i}" for i in range(N)], object)),
    }


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder, columns = tmp_path_factory.mktemp("parts"), molecules()
    chosen = {"all": slice(None), "first": slice(0, N // 3), "second": slice(N // 3, None)}
    for name, rows in chosen.items():
        with create_molecule_embeddings(folder / name, encoder=ENCODER, dtype=np.dtype("f4")) as file:
            file.append({column: values[rows] for column, values in columns.items()})
    return {name: folder / name for name in chosen}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=[getattr(pytest.mark, extra) for extra in ("graph", "ivf") if extra in kind])
        for kind in KINDS
    ],
)
def index(request, parts, tmp_path_factory):
    build, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("index") / "index.h5"
    build(parts, path, **options)
    with open_index(path) as opened:
        yield opened


@pytest.fixture
def queries(index):
    """Ten queries near one of the masses; the first is a stored vector itself."""
    vectors = np.random.default_rng(1).normal(size=(10, DIMENSION))
    vectors[0] = index.embedding.read(5, 6)[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    adduct, masses = parse_adduct("[M+H]+"), list(FORMULAS.values())
    grid = on_grid(vectors, index.dtype).astype(np.float64)
    return [
        Query(f"q{i}", i, "", adduct.precursor_mz(masses[i % 3]), (adduct,), list(FORMULAS)[i % 3], vector)
        for i, vector in enumerate(grid)
    ]


def brute_force(index, query, keep):
    """(key, score, rank) of the rows of `keep`, best first, by sums that make no rounding error."""
    keys, vectors = index.inchikey14.read(0, index.n), index.embedding.read(0, index.n).astype(np.float64)
    scores = {keys[i]: math.fsum((vectors[i] * query.vector).tolist()) for i in np.flatnonzero(keep)}
    order = sorted(scores, key=lambda key: (-scores[key], key))
    return [(key, scores[key], 1 + sum(other > scores[key] for other in scores.values())) for key in order]


def listed(candidates):
    best = ranked(candidates)
    return list(zip(best.inchikey14.tolist(), best.score.tolist(), competition_ranks(best.score).tolist(), strict=True))


def test_rows_stand_by_mass_and_key_with_unit_vectors(index):
    masses, keys = index.exact_mass.read(0, index.n), index.inchikey14.read(0, index.n)
    assert index.n == N
    assert list(zip(masses, keys, strict=True)) == sorted(zip(masses, keys, strict=True))
    norms = np.linalg.norm(index.embedding.read(0, N).astype(np.float64), axis=1)
    assert np.abs(norms - 1).max() < 1e-3
    assert (index.space.encoder, index.space.dimension) == ("random", DIMENSION)


def test_each_row_is_one_molecule(index):
    columns = molecules()
    place = {smiles: i for i, smiles in enumerate(columns["smiles"])}
    rows = [place[smiles] for smiles in index.texts["smiles"].read(0, N)]
    assert sorted(rows) == list(range(N))
    for name in ("id", "all_ids", "name", "formula"):
        assert index.texts[name].read(0, N) == columns[name][rows].tolist()
    assert index.inchikey14.read(0, N).tolist() == columns["inchikey14"][rows].tolist()
    assert index.exact_mass.read(0, N).tolist() == columns["exact_mass"][rows].tolist()
    vectors = columns["embedding"][rows] / np.linalg.norm(columns["embedding"][rows], axis=1, keepdims=True)
    assert np.abs(index.embedding.read(0, N) - vectors).max() < 3e-4


@pytest.mark.parametrize("tolerance", [Tolerance(2, "ppm"), Tolerance(10, "ppm"), Tolerance(2, "Da")])
def test_search_by_mass_equals_brute_force(index, queries, tolerance):
    masses = index.exact_mass.read(0, index.n)
    for query in queries:
        low, high = tolerance.window(query.adducts[0].neutral_mass(query.precursor_mz))
        expected = brute_force(index, query, (masses >= low) & (masses <= high))
        assert listed(by_mass(index, query, tolerance)) == expected
        assert expected


def test_search_by_formula_equals_brute_force(index, queries):
    formulas = np.array(index.texts["formula"].read(0, index.n))
    for query in queries:
        expected = brute_force(index, query, formulas == query.formula)
        assert listed(by_formula(index, query)) == expected


@pytest.mark.parametrize("top", [1, 7, 0])
def test_search_of_all_equals_brute_force(index, queries, top):
    for query, candidates in zip(queries, exhaustive(index, queries, top), strict=True):
        expected = brute_force(index, query, np.ones(index.n, bool))
        assert [entry[:2] for entry in listed(candidates)] == [entry[:2] for entry in expected[: top or None]]


def test_graph_and_ivf_score_as_exactly_as_all_else(index, queries):
    if index.graph is not None:
        candidates_of = by_graph(index, load_graph(index, ef_search=N), queries, 20, threads=1)
    elif index.ivf is not None:
        candidates_of = by_ivf(index, load_ivf(index, nprobe=N), queries, 20)
    else:
        pytest.skip("an index with neither graph nor IVF lists")
    for query, candidates in zip(queries, candidates_of, strict=True):
        exact = {key: score for key, score, _ in brute_force(index, query, np.ones(index.n, bool))}
        assert len(candidates) == 20
        assert all(exact[key] == score for key, score, _ in listed(candidates))
        assert max(exact.values()) == candidates.score.max()
