import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from specbridge_tools.errors import DataError
from specbridge_tools.evaluation import splits


def clusters_one_pair_at_a_time(bits, threshold):
    labels = list(range(len(bits)))
    for i in range(len(bits)):
        for j in range(i):
            union = (bits[i] | bits[j]).sum()
            if union and (bits[i] & bits[j]).sum() / union >= threshold - 1e-12:
                old, new = labels[i], labels[j]
                labels = [new if label == old else label for label in labels]
    return splits.first_appearance(labels)


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.sampled_from([0.2, 0.5, 0.6, 2 / 3, 1.0]),
    st.sampled_from([1, 7, 500]),
)
def test_blocks_of_pairs_give_the_clusters_of_all_pairs(seed, n, threshold, at_once):
    rng = np.random.default_rng(seed)
    bits = rng.random((n, 12)) < rng.uniform(0.1, 0.9, (n, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "_PAIRS_AT_ONCE", at_once)
        found = splits.single_linkage(sparse.csr_matrix(bits), threshold)
    np.testing.assert_array_equal(found, clusters_one_pair_at_a_time(bits, threshold))


def test_a_chain_of_neighbours_is_one_cluster_though_its_ends_share_nothing():
    bits = sparse.csr_matrix(np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0]]))
    assert splits.single_linkage(bits, 1 / 3).tolist() == [0, 0, 0, 1]
    assert splits.single_linkage(bits, 0.34).tolist() == [0, 1, 2, 3]


def test_similarity_exactly_at_the_threshold_counts():
    bits = np.zeros((2, 10), int)
    bits[0, :8] = bits[1, 2:] = 1  # 6 shared of 10
    assert splits.single_linkage(sparse.csr_matrix(bits), 0.6).tolist() == [0, 0]


def test_threshold_outside_its_range_is_refused():
    with pytest.raises(ValueError, match=r"threshold 0 is not in"):
        splits.single_linkage(sparse.csr_matrix((1, 1)), 0)


@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=60),
    st.sampled_from([(0.9, 0.1), (0.8, 0.1, 0.1), (1, 1)]),
    st.integers(0, 99),
)
def test_folds_hold_whole_groups_and_every_fold_is_filled(sizes, fractions, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    keys = [f"molecule {number}" for number in groups]
    folds = splits.assign_folds(keys, groups, fractions, seed)
    assert set(folds) == set(range(len(fractions)))
    for number in range(len(sizes)):
        assert len(set(folds[groups == number])) == 1
    np.testing.assert_array_equal(folds, splits.assign_folds(keys, groups, fractions, seed))


def test_folds_are_close_to_the_fractions_in_spectra():
    sizes = np.random.default_rng(1).geometric(0.08, 2000)
    groups = np.repeat(np.arange(2000), sizes)
    folds = splits.assign_folds(groups, groups, (0.8, 0.1, 0.1), 3)
    np.testing.assert_allclose(np.bincount(folds) / len(folds), (0.8, 0.1, 0.1), atol=0.003)


def test_small_folds_get_ordinary_groups_not_the_largest():
    sizes = np.array([500] + [5] * 500)
    groups = np.repeat(np.arange(501), sizes)
    for seed in range(5):
        folds = splits.assign_folds(groups, groups, (0.9, 0.1), seed)
        assert folds[0] == 0
        assert abs((folds == 1).sum() - 300) <= 5


def test_seeds_differ():
    groups = np.arange(100)
    first, second = (splits.assign_folds(groups, groups, (0.5, 0.5), seed) for seed in (0, 1))
    assert (first != second).any()


def test_fewer_groups_than_folds():
    with pytest.raises(DataError, match="1 groups of molecules cannot fill 2 parts"):
        splits.assign_folds(["A", "B"], [0, 0], (0.5, 0.5))
    with pytest.raises(DataError, match="0 groups"):
        splits.assign_folds([], [], (0.5, 0.5))


def test_a_molecule_in_two_groups_is_refused():
    with pytest.raises(DataError, match="molecule A is in two groups"):
        splits.assign_folds(["A", "A", "B"], [0, 1, 1], (0.5, 0.5))


def test_unknown_grouping():
    with pytest.raises(ValueError, match="no grouping 'colour'"):
        splits.group_molecules(["C"], "colour")
