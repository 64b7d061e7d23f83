import numpy as np

from specbridge_tools.ranking.evidence import OWN


def test_a_list_without_one_of_its_candidates(make_evidence):
    whole = make_evidence(5, 0)
    rest = whole.without(2)
    assert rest.formulas == [whole.formulas[row] for row in (0, 1, 3, 4)]
    np.testing.assert_array_equal(rest.values["cosine"], whole.values["cosine"][[0, 1, 3, 4]])
    assert len(whole) == 5


def test_without_reference_only_the_own_evidence_stays(make_evidence):
    own = make_evidence(5, 0).without_reference()
    assert tuple(own.values) == OWN
    assert not own.query.has_reference
