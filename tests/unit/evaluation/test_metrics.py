import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.evaluation import metrics


def test_tie_counts_by_hand():
    score = np.array([0.9, 0.5, 0.5, 0.1, 0.5])
    assert metrics.tie_counts(score, 0) == (0, 1)
    assert metrics.tie_counts(score, 2) == (1, 3)
    assert metrics.tie_counts(score, 3) == (4, 1)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_expectations_are_those_of_every_order_of_the_ties(levels, data):
    truth = data.draw(st.integers(0, len(levels) - 1))
    orders = [
        order
        for order in itertools.permutations(range(len(levels)))
        if all(levels[a] >= levels[b] for a, b in itertools.pairwise(order))
    ]
    ranks = np.array([order.index(truth) + 1 for order in orders])
    above, tied = metrics.tie_counts(np.array(levels, float), truth)
    for k in (1, 2, 5):
        assert metrics.expected_recall([above], [tied], k)[0] == pytest.approx((ranks <= k).mean())
    assert metrics.expected_reciprocal_rank([above], [tied])[0] == pytest.approx((1 / ranks).mean())


def test_a_truth_outside_the_list_is_a_miss():
    assert metrics.expected_recall([0], [0], 20).tolist() == [0.0]
    assert metrics.expected_reciprocal_rank([0], [0]).tolist() == [0.0]


def test_means_over_spectra_and_over_molecules_by_hand():
    values = np.array([[1.0], [1.0], [1.0], [0.0]])
    over_spectra, over_molecules = metrics.bootstrapped_means(values, ["A", "A", "A", "B"], resamples=50)
    assert over_spectra[0].value == 0.75
    assert over_molecules[0].value == 0.5


def test_interval_covers_what_whole_molecules_can_give():
    # 2 molecules: resamples are AA, AB, BA, BB, hence 1, 0.75, 0.75, 0
    values = np.array([[1.0], [1.0], [1.0], [0.0]])
    over_spectra, over_molecules = metrics.bootstrapped_means(values, ["A", "A", "A", "B"])
    assert (over_spectra[0].low, over_spectra[0].high) == (0.0, 1.0)
    assert (over_molecules[0].low, over_molecules[0].high) == (0.0, 1.0)


def test_interval_is_wider_over_molecules_than_the_spectra_suggest():
    random = np.random.default_rng(0)
    right = np.repeat(random.integers(0, 2, 100), 20).astype(float)[:, None]
    whole = metrics.bootstrapped_means(right, np.repeat(np.arange(100), 20), resamples=500)[0][0]
    parted = metrics.bootstrapped_means(right, np.arange(2000), resamples=500)[0][0]
    assert whole.high - whole.low > 3 * (parted.high - parted.low)
    assert whole.value == parted.value


def test_same_seed_same_interval():
    values = np.random.default_rng(0).random((30, 2))
    molecules = np.arange(30) % 7
    first, second, other = (metrics.bootstrapped_means(values, molecules, seed=s, resamples=100) for s in (0, 0, 1))
    assert first == second
    assert first != other
