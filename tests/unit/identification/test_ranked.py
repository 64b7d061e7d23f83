import dataclasses

import numpy as np
import pytest

from specbridge_tools.errors import UsageError
from specbridge_tools.hits.hits import COLUMNS, Hits, ranked_columns, reranked_columns
from specbridge_tools.identification.ranked import evidence_of, is_complete, rank_by_all, ranking_for
from specbridge_tools.ranking.evidence import OWN, REFERENCE
from specbridge_tools.ranking.features import COLUMNS as RANKED_BY
from specbridge_tools.ranking.meaning import PARAMETERS
from specbridge_tools.ranking.network import expected_shapes
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.search.search import SearchOptions
from specbridge_tools.spectra.spectrum import Spectrum

KEYS = ["AAA", "BBB", "CCC"]


@pytest.fixture
def ranking():
    """The score is the similarity to reference spectra of the same ion, and where there is none the fragment score."""
    weights = {name: np.zeros(shape) for name, shape in expected_shapes(len(RANKED_BY), 2).items()}
    weights["spread"] += 1
    weights["linear"][RANKED_BY.index("fragment_score_below_best")] = 1
    weights["linear"][RANKED_BY.index("same_ion")] = 10
    meaning = dict.fromkeys(PARAMETERS, 0.0) | {"listed_scale": 1.0, "coverage": np.linspace(0, 1, 101).tolist()}
    return Ranking([weights], {"single": meaning, "group": meaning})


def hits(**changes):
    spectrum = Spectrum("q", 152.0706, np.array([93.0335, 110.06]), np.array([5, 100], np.float32), adduct="[M+H]+")
    texts = {name: ["x", "y", "z"] for name in ("smiles", "id", "name", "all_ids")}
    numbers = dict.fromkeys(("exact_mass", "mass_error_ppm"), np.zeros(3))
    candidates = {
        **texts,
        **numbers,
        "rank": np.array([1, 2, 3]),
        "score": np.array([3.0, 2.0, 1.0]),
        "probability": np.array([0.3, 0.2, 0.1]),
        "cosine": np.array([0.3, 0.2, 0.1]),
        "fragment_score": np.array([-3.0, -1.0, -2.0]),
        "explained_intensity": np.ones(3),
        "adduct": ["[M+H]+"] * 3,
        "formula": ["C8H9NO2"] * 3,
        "inchikey14": KEYS,
        **{kind: np.zeros(3) for kind in REFERENCE},
    }
    columns = reranked_columns(COLUMNS)
    return Hits("q", 1, columns, candidates | changes, n_candidates=3, spectra=(spectrum,))


def test_score_rank_and_probabilities_are_those_of_the_ranking(ranking):
    (found,) = rank_by_all([hits()], ranking)
    assert found.columns == ranked_columns(reranked_columns(COLUMNS))
    assert found.columns[found.columns.index("probability") + 1] == "probability_if_listed"
    assert found.column("inchikey14") == ["BBB", "CCC", "AAA"]
    np.testing.assert_array_equal(found.numbers("score"), [0, -1, -2])
    assert found.column("rank") == ["1", "2", "3"]
    share = np.exp([-1, -2, -3]) / np.exp([-1, -2, -3]).sum()
    np.testing.assert_allclose(found.numbers("probability_if_listed"), share)
    np.testing.assert_allclose(found.numbers("probability"), share / 2)
    np.testing.assert_array_equal(found.numbers("cosine"), [0.2, 0.1, 0.3])


def test_reference_evidence_counts(ranking):
    values = {kind: np.zeros(3) for kind in REFERENCE} | {"same_ion": np.array([0.5, 0.0, 0.0])}
    (found,) = rank_by_all([hits(**values)], ranking)
    assert found.column("inchikey14") == ["AAA", "BBB", "CCC"]
    assert set(evidence_of(hits(**values)).values) == {*OWN, *REFERENCE}


def test_the_conditions_of_the_query():
    query = evidence_of(hits()).query
    assert (query.n_spectra, query.n_peaks) == (1, 2)


def test_a_coverage_keeps_as_many_as_it_takes(ranking):
    (found,) = rank_by_all([hits()], ranking, coverage=0.7)
    assert found.column("inchikey14") == ["BBB", "CCC"]
    (found,) = rank_by_all([hits()], ranking, coverage=0.5)
    assert found.column("inchikey14") == ["BBB"]


@pytest.mark.parametrize(
    "incomplete",
    [
        dataclasses.replace(hits(), n_candidates=4),
        hits(probability=np.full(3, np.nan)),
        hits().without_candidates("none"),
        dataclasses.replace(hits(), candidates={k: v for k, v in hits().candidates.items() if k not in REFERENCE}),
    ],
)
def test_lists_that_are_not_complete_stay_as_they_are(ranking, incomplete):
    assert not is_complete(incomplete)
    (found,) = rank_by_all([incomplete], ranking, coverage=0.5)
    assert found.column("inchikey14") == incomplete.column("inchikey14")
    assert found.columns == ranked_columns(incomplete.columns)
    assert set(found.column("probability_if_listed")) <= {""}
    assert len(found.rows()) == max(1, len(incomplete))


def test_without_a_ranking_nothing_changes():
    one = hits()
    assert next(rank_by_all([one], None)) is one


def test_neither_names_nor_ids_nor_spelling_nor_mass_error_nor_order_move_the_ranking(ranking):
    (straight,) = rank_by_all([hits()], ranking)
    named = hits(name=["n", "", "m"], id=["3", "1", "2"], smiles=["a", "b", "c"], mass_error_ppm=np.array([9.0, -3, 1]))
    (found,) = rank_by_all([named.take([2, 0, 1])], ranking)
    for column in ("score", "inchikey14", "rank", "probability"):
        assert found.column(column) == straight.column(column)


def test_answer_sets_need_a_ranking_and_complete_lists():
    with pytest.raises(UsageError, match="complete lists"):
        ranking_for(None, 50, SearchOptions(coverage=0.9), None)
    with pytest.raises(UsageError, match="reference spectra"):
        ranking_for(None, 0, SearchOptions(coverage=0.9), None)
    assert ranking_for(None, 50, SearchOptions(), None) is None
