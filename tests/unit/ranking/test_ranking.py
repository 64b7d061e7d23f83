import numpy as np
import pytest

from specbridge_tools.ranking.features import COLUMNS
from specbridge_tools.ranking.meaning import PARAMETERS, SIGNS
from specbridge_tools.ranking.network import expected_shapes, network_score
from specbridge_tools.ranking.ranking import Ranking, Scored

MEANING = dict.fromkeys(PARAMETERS, 0.0) | {"listed_scale": 2.0}
CONFIG = {
    "single": MEANING | {"coverage": np.linspace(0, 1, 101).tolist()},
    "group": MEANING | {"listed_scale": 4.0, "coverage": [0.0] * 101},
}


@pytest.fixture
def ranking():
    rng = np.random.default_rng(0)
    shapes = expected_shapes(len(COLUMNS), 6)
    networks = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2)]
    for weights in networks:
        weights["spread"] = np.abs(weights["spread"]) + 0.5
    return Ranking(networks, CONFIG)


def test_a_network_by_hand():
    weights = {
        "centre": np.array([1.0]),
        "spread": np.array([2.0]),
        "linear": np.array([0.5]),
        "hidden1.weight": np.array([[1.0], [-1.0]]),
        "hidden1.bias": np.array([0.0, 0.5]),
        "hidden2.weight": np.eye(2),
        "hidden2.bias": np.array([-1.0, 0.0]),
        "out.weight": np.array([2.0, 3.0]),
    }
    # x = 2, then the clipped 5 and -5
    np.testing.assert_allclose(network_score(weights, np.array([[5.0], [99.0], [-99.0]])), [3.0, 10.5, 14.0])


def test_without_networks_the_weighed_sum_is_the_score(make_evidence):
    weights = {"single": {"cosine": 2.0, "analog_max": 3.0}, "group": {"fragment_score": 1.0}}
    config = {kind: CONFIG[kind] | {"linear": weights[kind]} for kind in weights}
    ranking, one, several = Ranking([], config), make_evidence(9, 4), make_evidence(9, 4, n_spectra=3)
    expected = 2 * one.values["cosine"] + 3 * one.values["analog_max"]
    np.testing.assert_allclose(ranking.score(one).score, expected, atol=2e-5)
    np.testing.assert_allclose(ranking.score(several).score, several.values["fragment_score"], atol=2e-5)


def test_the_order_of_the_candidates_moves_no_score(ranking, make_evidence, reorder):
    one = make_evidence(40, 1)
    order = np.random.default_rng(1).permutation(40)
    straight, moved = ranking.score(one), ranking.score(reorder(one, order))
    np.testing.assert_array_equal(moved.score, straight.score[order])
    np.testing.assert_array_equal(moved.signs, straight.signs)
    np.testing.assert_array_equal(ranking.probability(moved), ranking.probability(straight)[order])


def scored(score, n_spectra=1):
    return Scored(np.asarray(score), np.zeros(len(SIGNS)), n_spectra)


def test_probabilities_by_hand(ranking):
    score = np.log([1.0, 2.0, 1.0])
    np.testing.assert_allclose(ranking.probability_if_listed(scored(score)), np.array([1, 4, 1]) / 6)
    np.testing.assert_allclose(ranking.probability_if_listed(scored(score, 3)), np.array([1, 16, 1]) / 18)
    # none of them is right in half of the cases
    np.testing.assert_allclose(ranking.probability(scored(score)), np.array([1, 4, 1]) / 12)
    assert len(ranking.probability(scored([]))) == len(ranking.probability_if_listed(scored([]))) == 0


def test_answer_sets_are_those_of_single_spectra_or_of_groups(ranking):
    score = np.log([0.2, 0.7, 0.1]) / 2
    np.testing.assert_array_equal(ranking.answer_set(scored(score), 0.8), [True, True, False])
    np.testing.assert_array_equal(ranking.answer_set(scored(score, 2), 0.8), [False, True, False])
