"""Levels by the rules of `hits.level`, at and beside each threshold."""

import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.hits.hits import COLUMNS
from specbridge_tools.hits.level import candidate_levels, formula_probabilities, query_level
from specbridge_tools.hits.table import QueryRows, parse_hits

REFERENCE = ("reference_similarity", "reference_kind")


def hits_of(*candidates, columns=(*COLUMNS, *REFERENCE)):
    """Hits of (probability, formula, similarity, kind) of each candidate."""
    rows = []
    for probability, formula, *reference in candidates:
        named = {"query_id": "q", "score": "1", "inchikey14": "A" * 14, "probability": probability, "formula": formula}
        named |= dict(zip(REFERENCE, reference, strict=False))
        rows.append(tuple(named.get(name, "") for name in columns))
    return parse_hits(QueryRows(columns, rows))


@pytest.mark.parametrize(
    ("candidates", "levels"),
    [
        # tentative: its formula is probable, and so is the candidate
        ([("0.4", "C2"), ("0.1", "C2"), ("0.05", "C2")], ["3", "3", "4"]),
        # each alone says less than the formula they share
        ([("0.09", "C2")] * 6, ["4"] * 6),
        ([("0.49", "C2"), ("0.2", "C3")], ["5", "5"]),
        ([("", "C2")], ["5"]),
        # a formula that is not stated is nobody's
        ([("0.9", "")], ["5"]),
        ([("0.01", "C2", "0.8", "same_ion"), ("0.3", "C2", "0.69", "same_ion")], ["2a", "5"]),
        ([("0.6", "C2", "0.79", "same_ion")], ["3"]),
        # two references that fit alike do not decide
        ([("0.6", "C2", "0.9", "same_ion"), ("0.2", "C2", "0.85", "same_ion")], ["3", "3"]),
        # a spectrum of another ion of the molecule is no library match
        ([("0.6", "C2", "0.95", "same_polarity")], ["3"]),
        ([("0.6", "C2", "", "")], ["3"]),
    ],
)
def test_levels(candidates, levels):
    hits = hits_of(*candidates)
    assert candidate_levels(hits) == levels
    assert query_level(hits) == levels[0]


def test_tables_without_reference_or_probability():
    columns = tuple(name for name in COLUMNS if name != "formula")
    assert candidate_levels(hits_of(("0.9", ""), columns=columns)) == ["5"]
    assert candidate_levels(hits_of(("0.9", "C2"), columns=COLUMNS)) == ["3"]
    columns = tuple(name for name in COLUMNS if name != "probability")
    assert candidate_levels(hits_of(("", "C2"), columns=columns)) == ["5"]


def test_a_query_without_a_candidate_is_a_mass():
    empty = parse_hits(QueryRows(("query_id", "score", "inchikey14", "reason"), [("q", "", "", "no peaks")]))
    assert candidate_levels(empty) == []
    assert query_level(empty) == "5"
    assert formula_probabilities(empty).shape == (0,)


def test_sums_are_over_the_formula():
    assert formula_probabilities(hits_of(("0.25", "C2"), ("0.5", "C3"), ("0.125", "C2"))).tolist() == [
        0.375,
        0.5,
        0.375,
    ]


def test_a_similarity_that_is_no_number():
    with pytest.raises(DataError, match="column reference_similarity of query q: could not convert"):
        candidate_levels(hits_of(("0.5", "C2", "high", "same_ion")))
