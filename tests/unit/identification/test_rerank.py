import dataclasses

import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.network.scores import CandidateScorer
from specbridge_tools.hits.hits import COLUMNS, reranked_columns
from specbridge_tools.hits.table import QueryRows, parse_hits
from specbridge_tools.hits.with_spectra import with_spectra
from specbridge_tools.identification import rerank as module
from specbridge_tools.search.queries.source import open_query_source
from specbridge_tools.spectra.spectrum import Spectrum

CANDIDATES = [
    ("AAA", "CC(=O)Nc1ccc(O)cc1", 0.70),
    ("BBB", "COC(=O)c1ccccc1N", 0.72),
    ("CCC", "NCC(=O)c1ccc(O)cc1", 0.60),
    ("DDD", "Cc1ccc([N+](=O)[O-])cc1C", 0.10),
]


def spectrum(name="q", record=1):
    mz = np.array([65.0386, 93.0335, 110.0600, 134.0600])
    return Spectrum(name, 152.0706, mz, np.array([10, 12, 100, 3], np.float32), adduct="[M+H]+", record=record)


def hits(name="q", candidates=CANDIDATES, record=1):
    ranked = sorted(candidates, key=lambda one: -one[2])
    empty = dict.fromkeys(COLUMNS, "")
    rows = [
        {
            **empty,
            "query_id": name,
            "rank": str(rank),
            "score": str(score),
            "probability": "0.5",
            "inchikey14": key,
            "smiles": smiles,
            "adduct": "[M+H]+",
            "record": str(record),
            "name": f"name of {key}",
        }
        for rank, (key, smiles, score) in enumerate(ranked, start=1)
    ]
    rows = rows or [{**empty, "query_id": name, "reason": "no molecule in the window", "record": str(record)}]
    return parse_hits(QueryRows(COLUMNS, [tuple(row[column] for column in COLUMNS) for row in rows]))


def with_column(name, values):
    return dataclasses.replace(hits(), candidates={**hits().candidates, name: values})


def rerank(queries, spectra, ranker, *, threads=1, **settings):
    with open_query_source(spectra) as source, CandidateScorer(ranker, threads=threads) as scorer:
        return list(module.rerank(with_spectra(queries, source), scorer, **settings))


def test_rows_are_ordered_by_the_weighted_sum(ranker):
    (found,) = rerank([hits()], [spectrum()], ranker)
    assert found.columns == reranked_columns(COLUMNS)
    assert found.columns[3:6] == ("cosine", "fragment_score", "explained_intensity")
    score, cosine, fragment = (found.numbers(name) for name in ("score", "cosine", "fragment_score"))
    assert score == pytest.approx(2 * cosine + fragment, abs=1e-4)
    assert (np.diff(score) <= 0).all()
    assert found.column("rank") == ["1", "2", "3", "4"]
    assert set(found.column("probability")) == {""}
    assert dict(zip(found.column("inchikey14"), found.column("name"), strict=True))["AAA"] == "name of AAA"
    explained = dict(zip(found.column("inchikey14"), found.numbers("explained_intensity"), strict=True))
    assert explained["AAA"] == pytest.approx(1.0)
    assert explained["DDD"] < 1


def test_candidates_beyond_the_top_follow_by_cosine(ranker):
    (found,) = rerank([hits()], [spectrum()], ranker, first=2)
    assert set(found.column("inchikey14")[:2]) == {"AAA", "BBB"}
    assert found.column("inchikey14")[2:] == ["CCC", "DDD"]
    assert found.column("fragment_score")[2:] == ["", ""]


def test_neither_order_nor_spelling_nor_ids_nor_mass_error_move_the_ranking(ranker):
    (expected,) = rerank([hits()], [spectrum()], ranker)
    spelled = [("AAA", "Oc1ccc(NC(C)=O)cc1", 0.70), *CANDIDATES[1:]]
    (other,) = rerank([hits(candidates=spelled)], [spectrum()], ranker)
    backwards = hits().take([3, 2, 1, 0])
    (reversed_rows,) = rerank([backwards], [spectrum()], ranker)
    wrong = with_column("mass_error_ppm", np.full(4, 9.9))
    (with_error,) = rerank([wrong], [spectrum()], ranker)
    for found in (other, reversed_rows, with_error):
        assert found.column("inchikey14") == expected.column("inchikey14")
        assert found.numbers("score") == pytest.approx(expected.numbers("score"), abs=2e-5)


def test_equal_candidates_share_a_rank(ranker):
    twins = [("AAA", CANDIDATES[0][1], 0.5), ("AAB", CANDIDATES[0][1], 0.5), *CANDIDATES[1:]]
    (found,) = rerank([hits(candidates=twins)], [spectrum()], ranker)
    ranks = dict(zip(found.column("inchikey14"), found.column("rank"), strict=True))
    assert ranks["AAA"] == ranks["AAB"]
    assert len(set(ranks.values())) == 4


def test_a_table_that_was_re_ranked_already_keeps_its_cosines(ranker):
    (once,) = rerank([hits()], [spectrum()], ranker)
    (twice,) = rerank([once], [spectrum()], ranker)
    assert twice.rows() == once.rows()


def test_queries_without_a_candidate_pass_through(ranker):
    queries = [hits("a", [], 1), hits("b", record=2)]
    found = rerank(queries, [spectrum("b", 2)], ranker)
    assert found[0].reason == "no molecule in the window"
    assert len(found[0]) == 0
    assert len(found[1]) == 4


def test_a_spectrum_that_does_not_follow_is_named(ranker):
    with pytest.raises(DataError, match=r"query 'b' of the hits is not among the spectra"):
        rerank([hits("a"), hits("b", record=2)], [spectrum("a")], ranker)
    with pytest.raises(DataError, match=r"query 'a'"):
        rerank([hits("b", record=2), hits("a")], [spectrum("a"), spectrum("b", 2)], ranker)


def test_spectra_with_equal_ids_are_told_apart_by_their_record(ranker):
    found = rerank([hits("q", record=2)], [spectrum("q", 1), spectrum("q", 2)], ranker)
    assert len(found[0]) == 4


def test_an_unknown_adduct_is_an_error_that_names_it(ranker):
    wrong = with_column("adduct", ["[M+Xx]+"] * 4)
    with pytest.raises(DataError, match="Xx"):
        rerank([wrong], [spectrum()], ranker)


@pytest.mark.slow
def test_processes_give_what_one_gives(ranker):
    queries = [hits(f"q{n}", record=n) for n in range(1, 20)]
    spectra = [spectrum(f"q{n}", n) for n in range(1, 20)]
    two, one = (rerank(queries, spectra, ranker, threads=threads) for threads in (2, 1))
    assert [hits.rows() for hits in two] == [hits.rows() for hits in one]
