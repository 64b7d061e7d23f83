import numpy as np
import pytest

from specbridge_tools.ranking.meaning import (
    PARAMETERS,
    SIGNS,
    listed_scale,
    none_probability,
    probability_if_listed,
    signs_of,
)

PLAIN = dict.fromkeys(PARAMETERS, 0.0) | {"listed_scale": 1.0}
NO_SIGNS = np.zeros(len(SIGNS))
SAME_ION = SIGNS.index("best_same_ion")


def test_signs_are_those_of_the_best_candidate_and_of_ties_the_mean():
    values = dict.fromkeys(SIGNS, np.zeros(3)) | {"cosine": np.array([0.1, 0.3, 0.9])}
    assert signs_of(values, np.array([1.0, 2.0, 0.0]))[SIGNS.index("cosine")] == 0.3
    assert signs_of(values, np.array([2.0, 2.0, 0.0]))[SIGNS.index("cosine")] == pytest.approx(0.2)
    np.testing.assert_array_equal(signs_of(dict.fromkeys(SIGNS, np.zeros(0)), np.zeros(0)), NO_SIGNS)


def test_scores_are_worth_what_the_spectra_of_the_same_ion_make_them():
    signs = NO_SIGNS.copy()
    signs[SAME_ION] = 0.5
    calibration = PLAIN | {"listed_same_ion": 2 * np.log(3)}
    assert listed_scale(NO_SIGNS, calibration) == 1
    assert listed_scale(signs, calibration) == pytest.approx(3)
    np.testing.assert_allclose(probability_if_listed(np.log([1.0, 2.0]), signs, calibration), [1 / 9, 8 / 9])


def test_none_is_a_logistic_function_of_the_signs():
    assert none_probability(0.2, NO_SIGNS, PLAIN) == 0.5
    assert none_probability(0.2, NO_SIGNS, PLAIN | {"none_log_top": -1.0}) == pytest.approx(5 / 6)
    signs = NO_SIGNS.copy()
    signs[SAME_ION] = 1
    assert none_probability(0.2, signs, PLAIN | {"none_best_same_ion": -np.log(4)}) == pytest.approx(0.2)
