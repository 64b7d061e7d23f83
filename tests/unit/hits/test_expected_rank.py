import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.hits.expected_rank import expected_recall, expected_reciprocal_rank, tie_counts


def test_tie_counts_by_hand():
    score = np.array([0.9, 0.5, 0.5, 0.1, 0.5])
    assert tie_counts(score, 0) == (0, 1)
    assert tie_counts(score, 2) == (1, 3)
    assert tie_counts(score, 3) == (4, 1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_expectations_are_those_of_every_order_of_the_ties(levels, data):
    truth = data.draw(st.integers(0, len(levels) - 1))
    orders = [
        order
        for order in itertools.permutations(range(len(levels)))
        if all(levels[a] >= levels[b] for a, b in itertools.pairwise(order))
    ]
    ranks = np.array([order.index(truth) + 1 for order in orders])
    above, tied = tie_counts(np.array(levels, float), truth)
    for k in (1, 2, 5):
        assert expected_recall([above], [tied], k)[0] == pytest.approx((ranks <= k).mean())
    assert expected_reciprocal_rank([above], [tied])[0] == pytest.approx((1 / ranks).mean())


def test_a_truth_outside_the_list_is_a_miss():
    assert expected_recall([0], [0], 20).tolist() == [0.0]
    assert expected_reciprocal_rank([0], [0]).tolist() == [0.0]


def test_recall_at_several_ranks_of_several_lists():
    recall = expected_recall(np.array([[0], [1], [0]]), np.array([[2], [3], [0]]), np.array([1, 2, 5]))
    np.testing.assert_allclose(recall, [[1 / 2, 1, 1], [0, 1 / 3, 1], [0, 0, 0]])
