import pytest

from specbridge_tools.fragmentation.network.recent import RecentValues


def test_the_least_recent_values_give_way_to_new_ones():
    made = []

    def make(name):
        made.append(name)
        return name * 2

    values = RecentValues(make, len, most=8)
    assert [values.get(name) for name in ("aa", "bb", "aa", "cc")] == ["aaaa", "bbbb", "aaaa", "cccc"]
    assert made == ["aa", "bb", "cc"]
    assert (len(values), values.n_bytes) == (2, 8)
    values.get("aa")
    values.get("bb")
    assert made == ["aa", "bb", "cc", "bb"]


def test_a_value_that_is_larger_than_all_that_may_be_remembered_is_given_all_the_same():
    values = RecentValues(lambda name: name, len, most=2)
    assert values.get("large") == "large"
    assert values.get("x") == "x"
    assert (len(values), values.n_bytes) == (1, 1)


def test_what_cannot_be_made_is_not_remembered():
    def fail(name):
        raise KeyError(name)

    values = RecentValues(fail, len, most=2)
    for _ in range(2):
        with pytest.raises(KeyError):
            values.get("a")
    assert len(values) == 0
