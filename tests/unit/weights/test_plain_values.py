"""Values of a header are of their type and in range, or refused by name."""

import dataclasses
from typing import Any

import pytest

from specbridge_tools.errors import FormatError
from specbridge_tools.weights.plain_values import config_of, finite_numbers, value_of


@dataclasses.dataclass(frozen=True)
class Sizes:
    width: int
    encoder: dict[str, Any]
    projector_depth: int = 2
    dropout: float = 0.1
    counts: bool = False
    kind: str = "plain"


WHOLE = {"width": 8, "encoder": {"name": "toy"}}


def test_what_fits_is_taken_over():
    assert config_of(Sizes, WHOLE, "x") == Sizes(8, {"name": "toy"})
    changed = {**WHOLE, "dropout": 0, "counts": True, "kind": "other", "projector_depth": 0}
    assert config_of(Sizes, changed, "x") == Sizes(8, {"name": "toy"}, 0, 0, True, "other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": -1}, "width in its header is -1, expected a whole number from 0"),
        ({"width": 2.0}, r"width in its header is 2\.0"),
        ({"width": True}, "width in its header is True"),
        ({"width": "8"}, "width in its header is '8'"),
        ({"width": 10**40}, r"width in its header is 10+\.*, expected"),
        ({"width": None}, "width in its header is None"),
        ({"projector_depth": 257}, "projector_depth in its header is 257"),
        ({"dropout": float("nan")}, "dropout in its header is nan, expected a number from 0"),
        ({"dropout": float("inf")}, "dropout in its header is inf"),
        ({"dropout": []}, r"dropout in its header is \[\]"),
        ({"counts": 1}, "counts in its header is 1, expected true or false"),
        ({"kind": {}}, "kind in its header is {}, expected a text"),
        ({"encoder": [1]}, r"encoder in its header is \[1\], expected an object"),
        ({"nosuch": 1}, "its header has 'nosuch', which is not known"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(FormatError, match=f"^x: {message}"):
        config_of(Sizes, {**WHOLE, **change}, "x")


def test_what_is_missing_is_named():
    with pytest.raises(FormatError, match="x: its header has no width"):
        config_of(Sizes, {"encoder": {}}, "x")
    with pytest.raises(FormatError, match="x: its header has no a"):
        value_of({}, "a", int, "x")


def test_sets_of_numbers():
    assert finite_numbers(None, "the calibration", "x") is None
    assert finite_numbers({"a": 1, "b": -0.5}, "the calibration", "x") == {"a": 1, "b": -0.5}
    for wrong in ([], "a", 1, {"a": "1"}, {"a": float("nan")}, {"a": 1e300}, {"a": True}, {"a": None}):
        with pytest.raises(FormatError, match="the calibration in its header is no set of finite numbers"):
            finite_numbers(wrong, "the calibration", "x")
