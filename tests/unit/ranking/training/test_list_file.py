import dataclasses

import numpy as np
import pytest

from specbridge_tools.errors import FormatError
from specbridge_tools.ranking.training.list_file import read_lists, write_lists


def test_lists_come_back_as_they_were(make_lists, tmp_path):
    lists = [*make_lists(3), *make_lists(2, n_spectra=3)]
    lists[1] = dataclasses.replace(lists[1], is_known=True, truth=-1)
    write_lists(lists, tmp_path / "lists.npz", made_by="a")
    found = read_lists(tmp_path / "lists.npz", made_by="a")
    assert len(found) == len(lists)
    for one, other in zip(lists, found, strict=True):
        assert (other.truth, other.molecule, other.is_known) == (one.truth, one.molecule, one.is_known)
        assert (other.evidence.query, other.evidence.formulas) == (one.evidence.query, one.evidence.formulas)
        for kind, value in one.evidence.values.items():
            np.testing.assert_array_equal(other.evidence.values[kind], value)


def test_whatever_they_were_made_from(make_lists, tmp_path):
    write_lists(make_lists(2), tmp_path / "lists.npz", made_by="a")
    assert len(read_lists(tmp_path / "lists.npz")) == 2


def test_other_lists_are_refused(make_lists, tmp_path):
    write_lists(make_lists(2), tmp_path / "lists.npz", made_by="a")
    with pytest.raises(FormatError, match="made from other files"):
        read_lists(tmp_path / "lists.npz", made_by="b")
    (tmp_path / "text.npz").write_text("no lists")
    with pytest.raises(FormatError, match="holds no candidate lists"):
        read_lists(tmp_path / "text.npz", made_by="a")
    np.savez(tmp_path / "other.npz", header=np.array('{"format": "x", "kinds": []}'))
    with pytest.raises(FormatError, match="other evidence"):
        read_lists(tmp_path / "other.npz", made_by="a")
