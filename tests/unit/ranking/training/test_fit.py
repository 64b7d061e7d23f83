import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.ranking.meaning import PARAMETERS, SIGNS
from specbridge_tools.ranking.ranking import Scored
from specbridge_tools.ranking.training import fit as module
from specbridge_tools.ranking.training.train import TrainingOptions

QUICK = TrainingOptions(width=4, epochs=6, batch_size=4, learning_rate=1e-2, networks=1)


def fitted(lists):
    calls = []
    fit = module.fit_ranking(lists, options=QUICK, folds=3, progress=lambda: calls.append(1))
    assert len(calls) == 4
    return fit


@pytest.mark.slow
def test_probabilities_of_fresh_lists_mean_what_they_say(make_lists):
    ranking = fitted([*make_lists(200), *make_lists(40, n_spectra=3, seed=7)]).ranking
    assert ranking.calibration(1) != ranking.calibration(3)
    assert set(PARAMETERS) < set(ranking.calibration(1))
    stated, listed, right = [], [], []
    for one in make_lists(200, seed=2):
        score = ranking.score(one.evidence)
        if_listed = ranking.probability_if_listed(score)
        assert if_listed.sum() == pytest.approx(1)
        best = int(np.argmax(score.score))
        listed.append(if_listed[best])
        stated.append(ranking.probability(score)[best])
        right.append(best == one.truth)
    assert np.mean(listed) == pytest.approx(np.mean(right), abs=0.08)
    # half of the truths were taken away in the fit, so it is less sure
    assert np.mean(stated) < np.mean(listed)


@pytest.mark.slow
def test_groups_are_calibrated_as_single_spectra_where_there_are_none(make_lists):
    ranking = fitted(make_lists(60)).ranking
    assert ranking.calibration(1) == ranking.calibration(2)


def test_without_networks_what_the_weighed_sum_means_is_fitted(make_lists):
    linear = {"single": {"cosine": 1.0, "same_ion": 2.0}, "group": {"cosine": 3.0}}
    lists = [*make_lists(40), *make_lists(20, n_spectra=3, seed=7)]
    fit = module.fit_ranking(lists, linear=linear)
    assert fit.ranking.networks == []
    assert fit.ranking.linear(1) == linear["single"]
    assert fit.ranking.linear(2) == linear["group"]
    assert set(PARAMETERS) < set(fit.ranking.calibration(2))
    values = lists[0].evidence.values
    np.testing.assert_allclose(fit.scored[0].score, values["cosine"] + 2 * values["same_ion"], atol=2e-5)


def test_ranks_and_recall(make_lists):
    lists = make_lists(3)
    lists[2] = lists[2].without_truth()
    scores = [Scored(np.zeros(len(one.evidence)), np.zeros(len(SIGNS)), 1) for one in lists]
    scores[0].score[lists[0].truth] = 1.0
    ranks = module.expected_ranks(lists, scores)
    assert ranks[0] == 1
    assert ranks[1] == (len(lists[1].evidence) + 1) / 2
    assert np.isinf(ranks[2])
    assert module.recall_of(ranks, at=(1,)) == {1: pytest.approx(1 / 3)}


def test_too_few_molecules(make_lists):
    with pytest.raises(DataError, match="2 molecules whose lists hold them are too few"):
        module.fit_ranking(make_lists(4), folds=3)
