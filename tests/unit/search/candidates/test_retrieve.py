import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.formula import plain_formula
from specbridge_tools.search.candidates.open_search import exhaustive
from specbridge_tools.search.candidates.ranking import competition_ranks, ranked
from specbridge_tools.search.candidates.retrieve import by_formula, by_mass
from specbridge_tools.search.candidates.tolerance import Tolerance


def brute_force(rows, vector, keep):
    """(key, score, rank) best first over the rows of `keep`: sums by `math.fsum`, one entry a key."""
    best = {}
    for i in np.flatnonzero(keep):
        score = math.fsum(float(a) * float(b) for a, b in zip(rows.embedding[i], vector, strict=True))
        key = rows.inchikey14[i]
        best[key] = max(best.get(key, -np.inf), score)
    entries = sorted(best.items(), key=lambda entry: (-entry[1], entry[0]))
    return [(key, score, 1 + sum(other > score for other in best.values())) for key, score in entries]


def listed(candidates):
    best = ranked(candidates)
    return list(zip(best.inchikey14, best.score, competition_ranks(best.score), strict=True))


def near_ties(rng, n, dimension):
    """Vectors of which many are equal, negated in two places, or one last bit apart: scores that nearly tie."""
    few = rng.normal(size=(3, dimension))
    vectors = few[rng.integers(0, 3, n)].astype(np.float32)
    place = rng.integers(0, dimension, n)
    rows = np.arange(n)
    vectors[rows, place] = np.nextafter(vectors[rows, place], rng.choice([-9, 9], n).astype("f4"))
    swap = rng.random(n) < 0.3
    vectors[swap] = vectors[swap][:, rng.permutation(dimension)]
    return vectors


@pytest.mark.slow
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), dtype=st.sampled_from(["float16", "float32"]))
def test_search_equals_brute_force_to_the_last_bit(make_rows, make_query, opened, seed, n, dtype):
    rng = np.random.default_rng(seed)
    masses = 500 + rng.integers(-6, 7, n) * 0.001
    keys = [letter * 14 for letter in rng.choice(list("ABCDEFGHIJKLMNOP"), n)]
    rows = make_rows(masses, vectors=near_ties(rng, n, 24), keys=keys, dtype=dtype)
    query = make_query(near_ties(rng, 1, 24)[0], 500.0, dtype=dtype)
    with opened(rows) as index:
        for tolerance, width in [(Tolerance(5, "ppm"), 0.0025), (Tolerance(0.004, "Da"), 0.004)]:
            keep = np.abs(rows.exact_mass - 500) <= width + 1e-8
            assert listed(by_mass(index, query, tolerance)) == brute_force(rows, query.vector, keep)
        everything = brute_force(rows, query.vector, np.ones(n, bool))
        for top in (1, 5, 0):
            (candidates,) = exhaustive(index, [query], top)
            assert [entry[:2] for entry in listed(candidates)] == [entry[:2] for entry in everything][: top or None]


def test_windows_of_many_blocks_equal_brute_force(make_rows, make_query, opened, monkeypatch):
    monkeypatch.setattr("specbridge_tools.search.candidates.retrieve._BLOCK_ROWS", 7)
    monkeypatch.setattr("specbridge_tools.search.candidates.open_search._BLOCK_ROWS", 7)
    rng = np.random.default_rng(3)
    rows = make_rows(rng.uniform(499, 501, 100), vectors=near_ties(rng, 100, 16))
    queries = [make_query(vector, 500.0) for vector in rng.normal(size=(20, 16))]
    with opened(rows) as index:
        for query, everywhere in zip(queries, exhaustive(index, queries, 10), strict=True):
            keep = np.abs(rows.exact_mass - 500) <= 0.5
            assert listed(by_mass(index, query, Tolerance(0.5, "Da"))) == brute_force(rows, query.vector, keep)
            assert listed(everywhere) == brute_force(rows, query.vector, np.ones(100, bool))[:10]


def test_both_ends_of_the_window_belong_to_it(make_rows, make_query, opened):
    rows = make_rows([249.997499, 249.9975, 250.0, 250.0025, 250.002501])
    with opened(rows) as index:
        candidates = by_mass(index, make_query(np.ones(8), 250.0), Tolerance(10, "ppm"))
        assert candidates.exact_mass.tolist() == [249.9975, 250.0, 250.0025]
        assert candidates.mass_error_ppm == pytest.approx([10, 0, -10], abs=1e-6)


def test_each_hypothesis_is_searched_and_named(make_rows, make_query, opened):
    query = make_query(np.ones(8), 300.0, adducts=("[M+H]+", "[M+Na]+", "[M+K]+"))
    sodium_mass = query.adducts[1].neutral_mass(query.precursor_mz)
    rows = make_rows([300.0, sodium_mass, 290.0])
    with opened(rows) as index:
        candidates = by_mass(index, query, Tolerance(1, "ppm"))
        assert {(query.adducts[a].name, m) for a, m in zip(candidates.adduct, candidates.exact_mass, strict=True)} == {
            ("[M+H]+", 300.0),
            ("[M+Na]+", sodium_mass),
        }
        # windows that overlap: every molecule once, by the hypothesis with the smallest error
        wide = by_mass(index, query, Tolerance(60, "Da"))
    assert wide.row.tolist() == [0, 1, 2]
    assert [query.adducts[a].name for a in wide.adduct] == ["[M+Na]+", "[M+H]+", "[M+H]+"]


def test_a_precursor_lighter_than_its_adduct_has_no_candidate(make_rows, make_query, opened):
    query = make_query(np.ones(8), -0.5)
    with opened(make_rows([0.1, 0.2])) as index:
        assert len(by_mass(index, query, Tolerance(1, "Da"))) == 0


def test_formula_in_any_spelling(make_rows, make_query, opened):
    mass = 103.06332853
    rows = make_rows([mass, mass, mass, mass], formulas=["C4H9NO2", "C4H9NO2+", "C3[13C]H9NO2", "O2NH9C4"])
    with opened(rows) as index:
        for spelling in ("H9C4NO2", "[C4H9NO2]+"):
            candidates = by_formula(index, make_query(np.ones(8), 100.0, formula=plain_formula(spelling)))
            assert sorted(index.texts["formula"].take(candidates.row)) == ["C4H9NO2", "C4H9NO2+", "O2NH9C4"]
        assert len(by_formula(index, make_query(np.ones(8), 100.0, formula="CH4"))) == 0


@pytest.mark.parametrize("text", ["", "water", "C6Xx", "(C"])
def test_what_is_no_formula_is_an_error(text):
    with pytest.raises(DataError):
        plain_formula(text)


def test_ranks_are_shared_by_equal_scores():
    assert competition_ranks(np.array([0.9, 0.5, 0.5, 0.1])).tolist() == [1, 2, 2, 4]
    assert competition_ranks(np.zeros(0)).tolist() == []
