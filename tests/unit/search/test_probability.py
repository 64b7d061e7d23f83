import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.search.probability import candidate_probabilities


def test_values_by_hand():
    probability = candidate_probabilities([0.5, 0.25], {"scale": 4.0, "null": 0.0})
    weights = np.exp([2.0, 1.0, 0.0])
    assert probability == pytest.approx(weights[:2] / weights.sum(), rel=1e-15)


@given(st.lists(st.floats(-1, 1), max_size=30), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_never_more_than_all_never_nan_and_in_the_order_of_the_scores(scores, scale, null):
    probability = candidate_probabilities(scores, {"scale": scale, "null": null})
    assert np.isfinite(probability).all()
    assert probability.sum() <= 1 + 1e-12
    assert (np.diff(probability[np.argsort(scores)]) >= 0).all()
