import numpy as np
import pytest

from specbridge_tools.ranking.answer_sets import QUANTILES, fit_quantiles, in_answer_set, probability_before


def test_probability_before_by_hand():
    np.testing.assert_allclose(probability_before([0.2, 0.5, 0.1, 0.2]), [0.5, 0.0, 0.9, 0.5])


def test_quantiles_by_hand():
    quantiles = fit_quantiles([0.0, 0.0, 0.5, 0.9])
    assert len(quantiles) == QUANTILES
    assert [quantiles[place] for place in (0, 25, 50, 51, 75, 76, 100)] == [0.0, 0.0, 0.0, 0.5, 0.5, 0.9, 0.9]
    assert fit_quantiles([0.0, 0.5], weights=[3, 1])[75] == 0.0
    assert fit_quantiles([0.0, 0.5], weights=[3, 1])[76] == 0.5


def test_sets_hold_the_truth_as_often_as_asked_for():
    rng = np.random.default_rng(0)
    lists = rng.dirichlet(np.full(30, 0.2), 4000)
    # the truths are drawn from somewhat flatter lists: the probabilities are too sure of themselves
    flat = lists**0.7
    truths = [rng.choice(30, p=row / row.sum()) for row in flat]
    before = [probability_before(row)[truth] for row, truth in zip(lists, truths, strict=True)]
    quantiles = fit_quantiles(before[:2000])
    for coverage in (0.5, 0.8, 0.9, 0.95):
        held = [
            in_answer_set(row, quantiles, coverage)[truth]
            for row, truth in zip(lists[2000:], truths[2000:], strict=True)
        ]
        assert np.mean(held) == pytest.approx(coverage, abs=0.03)


def test_the_most_probable_always_belongs_and_ties_stand_together():
    quantiles = fit_quantiles([0.0, 0.3])
    np.testing.assert_array_equal(in_answer_set([0.1, 0.6, 0.3], quantiles, 0.0), [False, True, False])
    np.testing.assert_array_equal(in_answer_set([0.3, 0.3, 0.2, 0.2], quantiles, 0.4), [True, True, False, False])
