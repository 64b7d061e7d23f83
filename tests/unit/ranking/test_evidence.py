import numpy as np

from specbridge_tools.ranking.evidence import OWN, REFERENCE


def test_a_list_without_one_of_its_candidates(make_evidence):
    whole = make_evidence(5, 0)
    rest = whole.without(2)
    assert rest.formulas == [whole.formulas[row] for row in (0, 1, 3, 4)]
    np.testing.assert_array_equal(rest.values["cosine"], whole.values["cosine"][[0, 1, 3, 4]])
    assert len(whole) == 5


def test_the_list_of_some_candidates_in_their_order(make_evidence):
    whole = make_evidence(5, 0)
    part = whole.take([3, 0])
    assert part.formulas == [whole.formulas[3], whole.formulas[0]]
    assert tuple(part.values) == (*OWN, *REFERENCE)
    np.testing.assert_array_equal(part.values["same_ion"], whole.values["same_ion"][[3, 0]])
    assert part.query is whole.query
