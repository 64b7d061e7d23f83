import dataclasses

import numpy as np

from specbridge_tools.ranking.training.lists import LabelledList, folds_of, list_weights


def test_molecules_stay_together_and_none_dominates(make_lists):
    lists = [*make_lists(10), make_lists(10)[0]]
    weights = list_weights(lists)
    np.testing.assert_allclose(weights[:4], [3**-0.5, 3**-0.5, 2**-0.5, 2**-0.5])
    folds = folds_of(lists, 3, seed=1)
    assert set(folds.tolist()) == {0, 1, 2}
    by_molecule = {}
    for one, fold in zip(lists, folds, strict=True):
        by_molecule.setdefault(one.molecule, set()).add(fold)
    assert {len(found) for found in by_molecule.values()} == {1}


def test_known_molecules_count_together_as_often_as_is_said(make_lists):
    lists = make_lists(8)
    lists[1] = dataclasses.replace(lists[1], is_known=True)
    assert list_weights(lists)[1] == np.delete(list_weights(lists), 1).sum()
    assert list_weights(lists, known=2)[1] == 2 * np.delete(list_weights(lists), 1).sum()
    assert {one.kind for one in lists} == {"single_known", "single_unknown"}


def test_without_truth(make_evidence):
    one = LabelledList(make_evidence(4, 0), 1, "A")
    without = one.without_truth()
    assert (without.truth, len(without.evidence)) == (-1, 3)
    assert without.without_truth() is without
