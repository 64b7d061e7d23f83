import collections
import math

import numpy as np
import pytest

from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.evaluation.baselines import SpectrumBlindScore
from specbridge_tools.evaluation.candidates import read_lists
from specbridge_tools.evaluation.evaluate import evaluate, judge_top_hits

KS = (1, 5, 20)


def slow_reference(hits, truths):
    """Recall and its interval from the definitions, one candidate at a time, with none of the package's code."""
    best = collections.defaultdict(dict)
    for group in hits:
        for row in group.rows():
            query, score, _, key, *_ = row
            if key:
                best[query][key] = max(best[query].get(key, -math.inf), float(score))
    ids = sorted(truth.query_id for truth in truths.truths)
    key_of = {truth.query_id: truth.inchikey14 for truth in truths.truths}
    credit = {k: [] for k in KS}
    chance = {k: [] for k in KS}
    for query in ids:
        mine = best[query].get(key_of[query])
        for k in KS:
            if mine is None:
                credit[k].append(0.0)
                chance[k].append(0.0)
                continue
            above = sum(score > mine for score in best[query].values())
            tied = sum(score == mine for score in best[query].values())
            credit[k].append(min(max((k - above) / tied, 0), 1))
            chance[k].append(min(k / len(best[query]), 1))
    molecules = sorted(set(key_of.values()))
    result = {}
    for k in KS:
        of = {m: [c for q, c in zip(ids, credit[k], strict=True) if key_of[q] == m] for m in molecules}
        rng, resampled = np.random.default_rng(0), []
        for _ in range(2000):
            drawn = [of[molecules[i]] for i in rng.integers(0, len(molecules), len(molecules))]
            resampled.append(sum(map(sum, drawn)) / sum(map(len, drawn)))
        result[k] = (
            np.mean(credit[k]),
            *np.percentile(resampled, [2.5, 97.5]),
            np.mean([np.mean(values) for values in of.values()]),
            np.mean(chance[k]),
        )
    return result


def figures(metrics):
    return {(m.subset, m.ranking, m.metric, m.over): m for m in metrics}


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_a_slow_reference(random_case, seed):
    hits, truths = random_case(seed)
    found = figures(evaluate(read_lists(hits, truths)))
    for k, (value, low, high, macro, chance) in slow_reference(hits, truths).items():
        over_spectra = found["all", "score", f"recall@{k}", "spectra"]
        assert (over_spectra.value, over_spectra.low, over_spectra.high) == pytest.approx((value, low, high))
        assert found["all", "score", f"recall@{k}", "molecules"].value == pytest.approx(macro)
        assert found["all", "random", f"recall@{k}", "spectra"].value == pytest.approx(chance)
        assert over_spectra.n_spectra == len(truths.truths)


def test_neither_the_order_of_queries_nor_of_rows_matters(random_case):
    hits, truths = random_case(7)
    straight = evaluate(read_lists(hits, truths), resamples=20)
    turned = [group.take(range(len(group))[::-1]) for group in hits[::-1]]
    for first, second in zip(straight, evaluate(read_lists(turned, truths), resamples=20), strict=True):
        assert (first.subset, first.metric, first.over) == (second.subset, second.metric, second.over)
        assert first.value == pytest.approx(second.value, nan_ok=True)


def test_subsets_are_scored_apart(make_hits, make_truths):
    truths = make_truths(
        ("a", "AAA", 1, "[M+H]+", 150.0), ("b", "BBB", -1, "[M-H]-", 250.0), ("c", "CCC", 1, "[M+Na]+", 250.0)
    )
    hits = [
        make_hits("a", [("AAA", 0.9, 1.0), ("XXX", 0.1, 0.0)]),
        make_hits("b", [("XXX", 0.9, 1.0), ("BBB", 0.1, 0.0)]),
        make_hits("c", [("CCC", 0.9, 1.0), ("YYY", 0.1, 0.0)]),
    ]
    metrics = evaluate(read_lists(hits, truths), resamples=20)
    found = {m.subset: m.value for m in metrics if (m.ranking, m.metric, m.over) == ("score", "recall@1", "spectra")}
    assert found == {
        "all": pytest.approx(2 / 3),
        "polarity=negative": 0,
        "polarity=positive": 1,
        "adduct=[M+H]+": 1,
        "adduct=[M+Na]+": 1,
        "adduct=[M-H]-": 0,
        "precursor_mz=0-200": 1,
        "precursor_mz=200-300": 0.5,
    }
    mass_only = figures(metrics)["all", "mass_only", "recall@1", "spectra"]
    assert mass_only.value == pytest.approx(1 / 3)


def test_a_molecule_that_always_scores_high_shows_in_the_spectrum_blind_score(make_hits, make_truths):
    """HUB wins every list whatever the spectrum; it is the truth of one query and gains nothing from its own list."""
    keys = [f"K{i}" for i in range(8)]
    truths = make_truths(("hub", "HUB"), *((f"q{key}", key) for key in keys))
    hits = [make_hits("hub", [("HUB", 0.9, 1.0), ("K0", 0.2, 1.0), ("K1", 0.1, 1.0)])]
    hits += [make_hits(f"q{key}", [("HUB", 0.9, 1.0), (key, 0.2, 1.0), ("Z" + key, 0.1, 1.0)]) for key in keys]
    lists = list(read_lists(hits, truths))
    found = figures(evaluate(lists, resamples=20))
    assert found["all", "spectrum_blind", "recall@1", "spectra"].value == pytest.approx(1 / 9)
    # HUB: 0.5 above the mean of its 8 other lists; K0 and K1: 0.2 below that of their own query's
    np.testing.assert_allclose(SpectrumBlindScore(lists).scores(lists[0]), [0.5, -0.2, -0.2], atol=1e-9)
    # in the list of K2: K2 and ZK2 stand in no other
    np.testing.assert_allclose(SpectrumBlindScore(lists).scores(lists[3]), [0.5, 0.0, 0.0], atol=1e-9)


def test_spectrum_blind_score_uses_no_list_of_the_same_molecule(make_hits, make_truths):
    truths = make_truths(("a1", "AAA"), ("a2", "AAA"), ("b", "BBB"))
    hits = [
        make_hits("a1", [("AAA", 1.0), ("BBB", 0.0)]),
        make_hits("a2", [("AAA", 1.0), ("BBB", 0.0)]),
        make_hits("b", [("AAA", 0.0), ("BBB", 0.2)]),
    ]
    lists = list(read_lists(hits, truths))
    score = SpectrumBlindScore(lists)
    np.testing.assert_allclose(score.scores(lists[0]), [-0.1, 0.1])  # from the list of b alone
    np.testing.assert_allclose(score.scores(lists[2]), [0.5, -0.5])  # from a1 and a2


def test_cut_lists_are_flagged(make_hits, make_truths):
    truths = make_truths(("a", "AAA"), ("b", "BBB"))
    hits = [
        make_hits("a", [("AAA", 0.9, 1.0), ("XXX", 0.5, 1.0)], n_candidates=40),
        make_hits("b", [("XXX", 0.9, 1.0), ("YYY", 0.5, 1.0)], n_candidates=40),
    ]
    found = figures(evaluate(read_lists(hits, truths), resamples=20))
    assert found["all", "score", "recall@1", "spectra"].note == ""
    assert found["all", "score", "recall@5", "spectra"].note == (
        "at least: the truth may stand below the cut of 1 lists"
    )
    assert found["all", "score", "mrr", "spectra"].note.startswith("at least")
    assert found["all", "random", "recall@5", "spectra"].value == pytest.approx(5 / 40 / 2)
    blind = found["all", "spectrum_blind", "recall@1", "spectra"]
    assert math.isnan(blind.value)
    assert "whole lists" in blind.note
    assert found["all", "lists", "candidates_mean", "spectra"].value == 40


def test_repeated_rows_of_a_whole_list_do_not_count_as_cut(make_hits, make_truths):
    hits = [make_hits("a", [("AAA", 0.1, 5.0), ("AAA", 0.9, -1.0), ("XXX", 0.5, 2.0)])]
    (candidates,) = read_lists(hits, make_truths(("a", "AAA")))
    assert not candidates.is_cut
    assert candidates.score.tolist() == [0.9, 0.5]
    assert candidates.mass_error.tolist() == [1.0, 2.0]
    assert candidates.top_hit.score == 0.9


def test_tables_without_mass_errors_have_no_mass_only_baseline(make_hits, make_truths):
    found = figures(evaluate(read_lists([make_hits("a", [("AAA", 0.9)])], make_truths(("a", "AAA"))), resamples=5))
    assert math.isnan(found["all", "mass_only", "recall@1", "spectra"].value)
    assert found["all", "spectrum_blind", "recall@1", "spectra"].value == 1


def test_the_cosine_alone_ranks_beside_a_score_of_more(make_hits, make_truths):
    truths = make_truths(("a", "AAA"), ("b", "BBB"), ("c", "CCC"))
    hits = [
        # two adducts of AAA, of which the better cosine counts
        make_hits("a", [("AAA", 9.0), ("XXX", 8.0), ("AAA", 7.0)], cosines=["0.1", "0.2", "0.3"]),
        make_hits("b", [("BBB", 9.0), ("XXX", 8.0)], cosines=["0.1", "0.2"]),
        make_hits("c", []),
    ]
    found = figures(evaluate(read_lists(hits, truths), resamples=5))
    assert found["all", "score", "recall@1", "spectra"].value == pytest.approx(2 / 3)
    assert found["all", "cosine", "recall@1", "spectra"].value == pytest.approx(1 / 3)
    assert found["all", "cosine", "mrr", "spectra"].value == pytest.approx(1.5 / 3)


def test_cosines_of_cut_lists_rank_nothing(make_hits, make_truths):
    hits = make_hits("a", [("AAA", 9.0), ("XXX", 8.0)], cosines=["0.1", "0.2"], n_candidates=3)
    found = figures(evaluate(read_lists([hits], make_truths(("a", "AAA"))), resamples=5))
    assert math.isnan(found["all", "cosine", "recall@1", "spectra"].value)
    assert found["all", "cosine", "recall@1", "spectra"].note == "needs the whole lists (--top 0) and their cosines"


def test_without_the_cosine_of_every_candidate_there_is_no_ranking_by_it(make_hits, make_truths):
    hits = make_hits("a", [("AAA", 9.0), ("XXX", 8.0)], cosines=["0.1", ""])
    found = figures(evaluate(read_lists([hits], make_truths(("a", "AAA"))), resamples=5))
    assert ("all", "cosine", "recall@1", "spectra") not in found


def test_queries_without_candidates_are_misses(make_hits, make_truths):
    lists = list(read_lists([make_hits("a", [])], make_truths(("a", "AAA"), ("b", "BBB"))))
    found = figures(evaluate(lists, resamples=5))
    assert found["all", "score", "recall@20", "spectra"].value == 0
    assert found["all", "random", "recall@20", "spectra"].value == 0
    assert found["all", "lists", "candidates_mean", "spectra"].value == 0
    assert not any(m.ranking == "probability" for m in found.values())


def test_probabilities_are_checked(make_hits, make_truths):
    truths = make_truths(("a", "AAA"), ("b", "BBB"), ("c", "CCC"), ("d", "DDD"))
    hits = [
        make_hits("a", [("AAA", 0.9, 1.0, 0.95), ("XXX", 0.1, 1.0, 0.01)]),
        make_hits("b", [("XXX", 0.9, 1.0, 0.65), ("BBB", 0.1, 1.0, 0.2)]),
        make_hits("c", [("CCC", 0.9, 1.0, 0.45), ("XXX", 0.9, 1.0, 0.45)]),
    ]
    lists = list(read_lists(hits, truths))
    probability, correct = judge_top_hits(lists)
    np.testing.assert_allclose(probability, [0.95, 0.65, 0.45, np.nan])
    assert correct.tolist() == [1.0, 0.0, 0.5, 0.0]
    found = {m.metric: m.value for m in evaluate(lists, resamples=5) if (m.subset, m.ranking) == ("all", "probability")}
    assert found["ece"] == pytest.approx((0.05 + 0.65 + 0.05) / 3)
    assert found["precision@p>=0.5"] == 0.5
    assert found["coverage@p>=0.5"] == 0.5
    assert found["coverage@p>=0.95"] == 0.25


def test_hits_of_other_spectra_are_refused(make_hits, make_truths):
    with pytest.raises(MismatchError, match=r"query zzz of the hits is not in truth\.mgf"):
        list(read_lists([make_hits("zzz", [("AAA", 0.9)])], make_truths(("a", "AAA"))))


def test_rows_of_a_query_in_two_places_are_refused(make_hits, make_truths):
    hits = [make_hits("a", [("AAA", 0.9)]), make_hits("b", []), make_hits("a", [("XXX", 0.8)])]
    with pytest.raises(DataError, match="the rows of query a do not stand together"):
        list(read_lists(hits, make_truths(("a", "AAA"), ("b", "BBB"))))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (math.nan, "query a: a score is missing or not finite"),
        (math.inf, "score of query a holds a number without end"),
    ],
)
def test_scores_that_are_no_numbers_are_refused(make_hits, make_truths, score, message):
    with pytest.raises(DataError, match=message):
        list(read_lists([make_hits("a", [("AAA", score)])], make_truths(("a", "AAA"))))


def test_equal_ids_are_told_apart_by_record(make_hits, make_truths):
    truths = make_truths(("same", "AAA"), ("same", "BBB"))
    hits = [make_hits("same", [("BBB", 0.9)], record=2), make_hits("same", [("AAA", 0.9)], record=1)]
    lists = list(read_lists(hits, truths))
    assert [c.truth.inchikey14 for c in lists] == ["BBB", "AAA"]
    assert [c.truth_at for c in lists] == [0, 0]
