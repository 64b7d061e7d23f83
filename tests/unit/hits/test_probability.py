import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.errors import FormatError
from specbridge_tools.hits.probability import candidate_probabilities


def calibration(scale=4.0, none=0.0, candidates=0.0, top=0.0):
    return {"scale": scale, "none": none, "none_log_candidates": candidates, "none_log_top": top}


def test_values_by_hand():
    found = candidate_probabilities([0.5, 0.25], calibration(none=-1.0, candidates=0.5, top=-2.0), n_candidates=7)
    share = np.exp([2.0, 1.0]) / np.exp([2.0, 1.0]).sum()
    none = 1 / (1 + np.exp(-(-1.0 + 0.5 * np.log(7) - 2.0 * np.log(share[0]))))
    assert found == pytest.approx(share * (1 - none), rel=1e-14)


def test_a_list_of_one_and_one_of_none():
    assert candidate_probabilities([-80.0], calibration(none=0.0), n_candidates=1) == pytest.approx([0.5])
    assert candidate_probabilities([], calibration(), n_candidates=0).shape == (0,)


@given(
    st.lists(st.floats(-100, 100), max_size=30),
    st.floats(0, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(-10, 10),
    st.floats(-10, 10),
    st.integers(0, 10**9),
)
def test_never_more_than_all_never_nan_and_in_the_order_of_the_scores(scores, scale, none, candidates, top, n):
    found = candidate_probabilities(scores, calibration(scale, none, candidates, top), n_candidates=n)
    assert np.isfinite(found).all()
    assert found.sum() <= 1 + 1e-12
    assert (np.diff(found[np.argsort(scores)]) >= 0).all()


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9), st.integers(-1000, 1000))
def test_scores_are_compared_within_their_list_alone(scores, shift):
    here = candidate_probabilities(scores, calibration(0.5, 1.0, 0.3, -0.2), n_candidates=40)
    there = candidate_probabilities(np.array(scores) + shift, calibration(0.5, 1.0, 0.3, -0.2), n_candidates=40)
    assert here == pytest.approx(there, rel=1e-12)


def test_a_calibration_of_another_kind_is_refused():
    with pytest.raises(FormatError, match="calibration without none, none_log_candidates, none_log_top"):
        candidate_probabilities([1.0], {"scale": 1.0, "null": 2.0}, n_candidates=1)
