"""Exceptions: what their text says and what status a command ends with."""

import pytest

from specbridge_tools import errors


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "no peaks"),
        ({"where": "a.mgf"}, "a.mgf: no peaks"),
        ({"where": "a.mgf", "line": 7}, "a.mgf: line 7: no peaks"),
        ({"where": "a.mzML", "record": 3}, "a.mzML: record 3: no peaks"),
        ({"where": "a.mgf", "line": 7, "record": 3}, "a.mgf: line 7: no peaks"),
        ({"advice": "leave it out"}, "no peaks; leave it out"),
        ({"where": "a.mgf", "line": 7, "advice": "leave it out"}, "a.mgf: line 7: no peaks; leave it out"),
    ],
)
def test_text_names_the_place_and_what_to_do(place, text):
    assert str(errors.DataError("no peaks", **place)) == text


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.SpecbridgeError, 1),
        (errors.DataError, 1),
        (errors.FormatError, 1),
        (errors.UsageError, 2),
        (errors.MismatchError, 3),
        (errors.TryAgainError, 75),
    ],
)
def test_each_kind_has_its_exit_status(kind, status):
    assert kind("x").exit_status == status
    assert isinstance(kind("x"), errors.SpecbridgeError)
