import numpy as np
import pytest

from specbridge_tools.ranking.features import COLUMNS
from specbridge_tools.ranking.network import expected_shapes, network_score
from specbridge_tools.ranking.ranking import Ranking

PARAMETERS = {"scale": 1.0, "none": 0.0, "none_log_candidates": 0.0, "none_log_top": 0.0, "listed_scale": 2.0}
CONFIG = {
    "single": PARAMETERS | {"coverage": np.linspace(0, 1, 101).tolist()},
    "group": PARAMETERS | {"listed_scale": 4.0, "coverage": [0.0] * 101},
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


def test_the_order_of_the_candidates_moves_no_score(ranking, make_evidence, reorder):
    one = make_evidence(40, 1)
    order = np.random.default_rng(1).permutation(40)
    np.testing.assert_array_equal(ranking.score(reorder(one, order)), ranking.score(one)[order])


def test_probabilities_by_hand(ranking):
    score = np.log([1.0, 2.0, 1.0])
    np.testing.assert_allclose(ranking.probability_if_listed(score, n_spectra=1), np.array([1, 4, 1]) / 6)
    np.testing.assert_allclose(ranking.probability_if_listed(score, n_spectra=3), np.array([1, 16, 1]) / 18)
    # none of them is right in half of the cases
    np.testing.assert_allclose(ranking.probability(score, n_spectra=1, n_candidates=3), np.array([1, 2, 1]) / 8)


def test_answer_sets_are_those_of_single_spectra_or_of_groups(ranking):
    probability = np.array([0.2, 0.7, 0.1])
    np.testing.assert_array_equal(ranking.answer_set(probability, 0.8, n_spectra=1), [True, True, False])
    np.testing.assert_array_equal(ranking.answer_set(probability, 0.8, n_spectra=2), [False, True, False])
