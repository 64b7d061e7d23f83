import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.ranking.evidence import OWN, REFERENCE, Evidence, QueryConditions
from specbridge_tools.ranking.features import COLUMNS, ListFeatures

QUERY = QueryConditions(2, 20.0)


def by_name(evidence):
    return dict(zip(COLUMNS, ListFeatures(evidence).columns().T, strict=True))


def small(**changes):
    values = {kind: np.zeros(3) for kind in (*OWN, *REFERENCE)}
    values |= {"cosine": np.array([0.1, 0.5, 0.3]), "fragment_score": np.array([-3.0, np.nan, -1.0])}
    return Evidence(values | changes, ["A", "A", "B"], QUERY)


def test_each_form_by_hand():
    columns = by_name(small())
    np.testing.assert_array_equal(columns["cosine"], [0.1, 0.5, 0.3])
    np.testing.assert_allclose(columns["cosine_below_best"], [-0.4, 0.0, -0.2])
    np.testing.assert_allclose(columns["cosine_z"], np.array([-0.2, 0.2, 0.0]) / np.sqrt(0.08 / 3))
    np.testing.assert_allclose(columns["cosine_rank"], np.log([3, 1, 2]))


def test_what_is_missing_counts_as_the_lowest():
    columns = by_name(small())
    np.testing.assert_array_equal(columns["fragment_score_below_best"], [-2, -2, 0])
    np.testing.assert_allclose(columns["fragment_score_rank"], np.log([2.5, 2.5, 1]))
    nothing = by_name(small(fragment_score=np.full(3, np.nan)))
    np.testing.assert_array_equal(nothing["fragment_score_z"], np.zeros(3))


def test_of_each_formula_the_best_and_the_mean():
    columns = by_name(small(fragment_score=np.array([-3.0, -2.0, -1.0])))
    np.testing.assert_array_equal(columns["formula_best_below_best"], [-1, -1, 0])
    np.testing.assert_array_equal(columns["formula_mean_below_best"], [-1.5, -1.5, 0])


def test_the_linear_sum_by_hand():
    one = small(same_ion=np.array([0.2, 0.0, 0.9]), analog_max=np.array([0.0, 0.1, 0.9]))
    expected = [3.4 * 0.1 - 0.81 * 3 + 5 * 0.2, 3.4 * 0.5 - 0.81 * 3 + 9 * 0.1, 3.4 * 0.3 - 0.81 + 5 * 0.9 + 9 * 0.9]
    np.testing.assert_allclose(ListFeatures(one).sum, expected)
    np.testing.assert_allclose(by_name(one)["linear_below_best"], ListFeatures(one).sum - expected[2], atol=1e-9)
    np.testing.assert_allclose(ListFeatures(one, {"same_ion": 2.0}).sum, [0.4, 0.0, 1.8])


def test_how_intense_a_spectrum_is_moves_nothing():
    scores = np.array([-3.0, -2.0, -1.0])
    one, other = (ListFeatures(small(fragment_score=scores - shift)).columns() for shift in (0, 64))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_a_low_similarity_of_the_same_ion_says_nothing():
    columns = by_name(small(same_ion=np.array([0.2, 0.0, 0.9]), same_polarity_losses=np.array([0.0, 0.4, 0.0])))
    np.testing.assert_allclose(columns["same_ion_above_0.3"], [0, 0, 0.6])
    np.testing.assert_allclose(columns["same_ion_above_0.85"], [0, 0, 0.05])
    np.testing.assert_allclose(columns["same_ion_lead"], [-0.7, -0.9, 0.7])
    np.testing.assert_allclose(columns["same_ion_log_peaks"], np.array([0.2, 0, 0.9]) * np.log(20))
    np.testing.assert_allclose(columns["measured"], [0.2, 0.4, 0.9])
    np.testing.assert_allclose(by_name(small())["same_ion_lead"], np.zeros(3))


def test_the_query_is_the_same_for_all_candidates():
    columns = by_name(small())
    expected = {
        "log_peaks": np.log(20),
        "log_spectra": np.log(2),
        "log_candidates": np.log(3),
        "best_same_ion": 0,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(columns[name], np.full(3, value))


@given(st.integers(1, 12), st.integers(0, 50))
def test_the_order_of_the_candidates_moves_nothing(n, seed):
    rng = np.random.default_rng(seed)
    values = {kind: rng.choice([0.0, 0.25, rng.normal(), np.nan], n) for kind in OWN}
    values |= {kind: rng.choice([0.0, rng.uniform()], n) for kind in REFERENCE}
    formulas = [f"C{number}" for number in rng.integers(0, 3, n)]
    order = rng.permutation(n)
    moved = Evidence({kind: value[order] for kind, value in values.items()}, [formulas[i] for i in order], QUERY)
    straight = ListFeatures(Evidence(values, formulas, QUERY)).columns()
    np.testing.assert_array_equal(ListFeatures(moved).columns(), straight[order])


def test_names_of_formulas_move_nothing(make_evidence):
    one = make_evidence(9, 3)
    renamed = dataclasses.replace(one, formulas=[f"x{name[::-1]}" for name in one.formulas])
    np.testing.assert_array_equal(ListFeatures(renamed).columns(), ListFeatures(one).columns())


@pytest.mark.parametrize("n", [0, 1])
def test_short_lists(n, make_evidence):
    columns = ListFeatures(make_evidence(n, 0)).columns()
    assert columns.shape == (n, len(COLUMNS))
    assert np.isfinite(columns).all()


def test_tied_values_share_the_mean_of_their_ranks():
    from scipy.stats import rankdata

    from specbridge_tools.ranking.features import _mean_ranks

    values = np.array([0.5, 2.0, 0.5, -1.0, 2.0, 0.5])
    assert _mean_ranks(values, np.sort(values)).tolist() == rankdata(-values).tolist() == [4, 1.5, 4, 6, 1.5, 4]
