import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.evaluation import calibration as reliability
from specbridge_tools.hits import fit_probability as calibration
from specbridge_tools.hits.probability import PARAMETERS, candidate_probabilities

TRUE = {"scale": 8.0, "none": -1.0, "none_log_candidates": 0.5, "none_log_top": -0.4}


def lists_of_the_model(n, seed, parameters=TRUE):
    """Lists whose truth, or its absence, is drawn from the very model that is fitted; twice as many were found."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        scores = rng.uniform(0, 1, rng.integers(2, 40)) - rng.uniform(0, 50)
        chance = candidate_probabilities(scores, parameters, n_candidates=2 * len(scores))
        chance = np.append(chance, max(0, 1 - chance.sum()))
        drawn = rng.choice(len(chance), p=chance / chance.sum())
        yield scores, (drawn if drawn < len(scores) else -1), 2 * len(scores)


def probabilities(scores, fitted):
    return candidate_probabilities(scores, fitted, n_candidates=len(scores))


def test_removes_the_truth_of_half_and_nothing_else():
    queries = [(np.arange(i, i + 3.0), 1) for i in range(10)] + [(np.zeros(2), -1)] * 2
    changed = calibration.remove_truths(queries, seed=3)
    removed = [i for i in range(10) if changed[i][1] == -1]
    assert len(removed) == 4  # with the 2 that had none: 6 of 12
    assert [changed[i][0].tolist() for i in removed] == [[i, i + 2] for i in removed]
    assert all(changed[i][1] == 1 and len(changed[i][0]) == 3 for i in range(10) if i not in removed)
    other = calibration.remove_truths(queries, seed=4)
    assert [t for _, t in other] != [t for _, t in changed]


def test_never_puts_a_truth_back():
    queries = [(np.zeros(2), -1)] * 3 + [(np.zeros(2), 0)]
    assert calibration.remove_truths(queries) == queries


def test_finds_the_parameters_that_made_the_data():
    fitted = calibration.fit_probabilities(list(lists_of_the_model(6000, 0)))
    assert fitted == pytest.approx(TRUE, abs=0.35)


@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_fresh_queries_are_calibrated_and_the_unit_of_score_does_not_matter(unit):
    def lists(n, seed):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(5, 60, n)
        return [(np.append(rng.normal(0, 1, size), rng.normal(2.5, 1)) * unit, size) for size in sizes]

    fitted = calibration.fit_calibration(lists(1500, 0), seed=1)
    probability, correct = [], []
    for scores, truth in calibration.remove_truths(lists(3000, 9), seed=5):
        p = probabilities(scores, fitted)
        probability.append(p.max())
        correct.append(float(p.argmax() == truth))
    assert reliability.expected_calibration_error(probability, correct) < 0.05
    assert np.mean(probability) == pytest.approx(np.mean(correct), abs=0.03)


def test_a_better_score_never_means_a_lower_probability():
    rng = np.random.default_rng(0)
    lists = [(np.append(rng.normal(0, 1, size), -3.0), size) for size in rng.integers(5, 60, 400)]
    fitted = calibration.fit_calibration(lists)
    assert fitted["scale"] == 0
    # with every score alike the truth is any of them, in half of the lists
    assert np.mean([probabilities(scores, fitted).sum() for scores, _ in lists]) == pytest.approx(0.5, abs=0.03)


AT = np.array([3.0, -0.5, 0.4, -0.7])


def weighted(lists, weights):
    return calibration._ScoreLists([(*scored, weight) for scored, weight in zip(lists, weights, strict=True)])


def test_loss_is_the_mean_negative_log_likelihood():
    lists = list(lists_of_the_model(30, 2))
    loss, _ = weighted(lists, np.ones(30)).loss_and_gradient(AT)
    slow = 0.0
    for scores, truth, n in lists:
        p = candidate_probabilities(scores, dict(zip(PARAMETERS, AT, strict=True)), n_candidates=n)
        slow -= np.log(p[truth] if truth >= 0 else 1 - p.sum())
    assert loss - calibration._RIDGE / 2 * (0.4**2 + 0.7**2) == pytest.approx(slow / 30)


def test_weights_count_like_repeats():
    lists = list(lists_of_the_model(60, 2))
    repeated = weighted(lists[:20] * 2 + lists, np.ones(100)).loss_and_gradient(AT)
    once = weighted(lists, [3.0] * 20 + [1.0] * 40).loss_and_gradient(AT)
    assert repeated[0] == pytest.approx(once[0])
    np.testing.assert_allclose(repeated[1], once[1])


def test_gradient_is_that_of_the_loss():
    lists = weighted(list(lists_of_the_model(20, 2)), np.arange(1, 21))
    slope = [
        (lists.loss_and_gradient(AT + step)[0] - lists.loss_and_gradient(AT - step)[0]) / 2e-5
        for step in np.eye(4) * 1e-5
    ]
    np.testing.assert_allclose(lists.loss_and_gradient(AT)[1], slope, rtol=1e-6)


@pytest.mark.parametrize("queries", [[], [(np.zeros(3), -1)], [(np.zeros(1), 0)] * 4])
def test_lists_that_determine_nothing_are_refused(queries):
    with pytest.raises(DataError, match="calibrate on more queries"):
        calibration.fit_calibration(queries)
