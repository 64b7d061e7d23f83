import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.ranking.meaning import PARAMETERS, SIGNS, none_probability
from specbridge_tools.ranking.ranking import Scored
from specbridge_tools.ranking.training.calibrate import calibrate

SAME_ION = SIGNS.index("best_same_ion")


def drawn(make_lists, rng):
    """Lists whose truth is drawn with the softmax of twice the scores, where a spectrum is alike of four times."""
    lists, scored, without = make_lists(400), [], []
    for number, one in enumerate(lists):
        score, signs = rng.normal(size=len(one.evidence)), np.zeros(len(SIGNS))
        signs[SAME_ION] = alike = float(number % 2)
        weights = np.exp(2 * 2**alike * score)
        truth = int(rng.choice(len(score), p=weights / weights.sum()))
        object.__setattr__(one, "truth", truth)
        scored.append(Scored(score, signs, 1))
        without.append(Scored(np.delete(score, truth), np.zeros(len(SIGNS)), 1))
    return lists, scored, without


def test_scales_and_signs_are_found_again(make_lists):
    lists, scored, without = drawn(make_lists, np.random.default_rng(0))
    found = calibrate(lists, scored, without)
    assert set(found) == {*PARAMETERS, "coverage"}
    assert found["listed_scale"] == pytest.approx(2, rel=0.15)
    assert np.exp(found["listed_same_ion"]) == pytest.approx(2, rel=0.25)
    # nothing is alike once the truth is gone
    signs = np.zeros(len(SIGNS))
    unlike = none_probability(0.5, signs, found)
    signs[SAME_ION] = 1
    assert none_probability(0.5, signs, found) < 0.1 < 0.5 < unlike


def test_lists_without_truth_say_nothing(make_lists):
    lists = [one.without_truth() for one in make_lists(3)]
    scored = [Scored(np.zeros(len(one.evidence)), np.zeros(len(SIGNS)), 1) for one in lists]
    with pytest.raises(DataError, match="no list holds its truth"):
        calibrate(lists, scored, scored)
