import dataclasses

import numpy as np
import pytest
import torch

from specbridge_tools.ranking.features import COLUMNS, ListFeatures
from specbridge_tools.ranking.network import expected_shapes, network_score
from specbridge_tools.ranking.training import train as module
from specbridge_tools.ranking.training.train import RankingModule, TrainingOptions, train_networks

QUICK = TrainingOptions(width=8, epochs=12, batch_size=4, learning_rate=1e-2, networks=2)


def trained(lists, options=QUICK):
    columns = [ListFeatures(one.evidence).columns() for one in lists]
    return train_networks(columns, [one.truth for one in lists], np.ones(len(lists)), options=options)


@pytest.mark.slow
def test_it_learns_and_repeats(make_lists):
    lists, others = make_lists(60), make_lists(60, seed=1)
    networks = trained(lists)
    right = [
        int(np.argmax(network_score(networks[0], ListFeatures(one.evidence).columns()))) == one.truth for one in others
    ]
    assert np.mean(right) > 0.7
    for name, value in trained(lists)[1].items():
        np.testing.assert_array_equal(value, networks[1][name])
    assert not np.array_equal(networks[0]["linear"], networks[1]["linear"])


def test_numpy_scores_as_torch_does(make_lists):
    (weights,) = trained(make_lists(10), dataclasses.replace(QUICK, networks=1))
    assert {name: value.shape for name, value in weights.items()} == expected_shapes(len(COLUMNS), 8)
    network = RankingModule(torch.zeros(len(COLUMNS)), QUICK).eval()
    rows = {"linear.weight": weights["linear"][None], "out.weight": weights["out.weight"][None]}
    names = ("hidden1.weight", "hidden1.bias", "hidden2.weight", "hidden2.bias")
    state = {name: torch.from_numpy(value) for name, value in ({name: weights[name] for name in names} | rows).items()}
    network.load_state_dict(state)
    columns = ListFeatures(make_lists(1)[0].evidence).columns()
    scaled = np.clip((columns - weights["centre"]) / weights["spread"], -5, 5)
    with torch.no_grad():
        expected = network(torch.from_numpy(scaled.astype(np.float32))).numpy()
    np.testing.assert_allclose(network_score(weights, columns), expected, atol=1e-4)


def test_it_starts_as_the_linear_sum(make_lists):
    (one,) = make_lists(1)
    (weights,) = trained([one], dataclasses.replace(QUICK, epochs=0, networks=1))
    score = network_score(weights, ListFeatures(one.evidence).columns())
    linear = ListFeatures(one.evidence).sum
    near = linear > linear.max() - 3  # further off it is cut
    np.testing.assert_allclose((score - score.max())[near], 0.63 * (linear - linear.max())[near], atol=1e-4)


def test_of_long_lists_the_best_by_that_sum_take_part_and_the_truth():
    columns = np.zeros((100, len(COLUMNS)))
    columns[:, COLUMNS.index("linear_below_best")] = -np.arange(100)
    kept, truth = module._strongest(columns, 90)
    assert (len(kept), truth) == (60, 59)
    np.testing.assert_array_equal(kept[:, COLUMNS.index("linear_below_best")], [*-np.arange(59), -90])
    assert module._strongest(columns, 3)[1] == 3


def test_nothing_to_train_on():
    with pytest.raises(ValueError, match="no lists"):
        train_networks([], [], np.zeros(0))
