"""Tensors and a header in one file, and whether they fit a configuration."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from specbridge_tools.errors import DataError, FormatError, MismatchError
from specbridge_tools.weights.tensor_file import (
    check_header,
    check_shapes,
    read_header,
    read_shapes,
    read_tensor_file,
    write_tensor_file,
)

HEADER = {"format": "x", "format_version": 2, "sizes": [1, 2]}


@pytest.mark.parametrize("make", [np.ones, torch.ones])
def test_what_is_written_is_read(tmp_path, make):
    write_tensor_file({"a.x": make((2, 3)), "b": make(())}, HEADER, tmp_path / "f")
    header, tensors = read_tensor_file(tmp_path / "f", framework="pt", prefix="a.")
    assert header == read_header(tmp_path / "f") == HEADER
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {"a.x": [[1, 1, 1]] * 2}
    assert read_shapes(tmp_path / "f") == (HEADER, {"a.x": (2, 3), "b": ()})
    write_tensor_file({"a.x": make((2, 3)), "b": make(())}, HEADER, tmp_path / "again")
    assert (tmp_path / "f").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "f: is a safetensors file, but no x"),
        ({"format": "y"}, "is a y, expected a x"),
        ({"format": "x", "format_version": 3}, "x version 3, this release reads 2; install the version of"),
        ({"format": "x"}, "x version None, this release reads 2$"),
    ],
)
def test_other_headers_are_refused(header, message):
    check_header(HEADER, "f", expected_format="x", version=2)
    with pytest.raises(FormatError, match=message):
        check_header(header, "f", expected_format="x", version=2)


def test_files_of_others_have_an_empty_header(tmp_path):
    save_file({"a": np.ones(2)}, tmp_path / "f", metadata={"specbridge": "[1]"})
    assert read_header(tmp_path / "f") == {}
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FormatError, match="is no safetensors file, or a broken one"):
        read_header(tmp_path / "text")
    with pytest.raises(DataError, match="cannot be read"):
        read_header(tmp_path / "none")


def test_shapes_that_fit():
    check_shapes({"a": [2, 3], "b": ()}, {"b": (), "a": torch.Size((2, 3))}, "f", advice="none")


def test_the_first_of_each_kind_are_named():
    found = {"a": (2,), "b": (3, 4), "c": (), "y": (1,)}
    expected = {"a": (2,), "b": (4, 3), "c": (1,), **{f"m{i}": (1,) for i in range(5)}}
    message = (
        r"^f: its tensors do not fit its configuration: 5 missing \(m0, m1, m2, \.\.\.\); 1 left over \(y\); "
        r"2 of another shape \(b 3 x 4, expected 4 x 3, c scalar, expected 1\); do this$"
    )
    with pytest.raises(MismatchError, match=message):
        check_shapes(found, expected, "f", advice="do this")
