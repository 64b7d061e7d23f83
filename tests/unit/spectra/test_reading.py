"""How a file of spectra is read: the rules as one value."""

import dataclasses

import pytest

import specbridge_tools
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading


def test_the_header_names_the_format_and_what_is_not_the_default():
    assert DEFAULT_READING.header() == {"input_format": "auto"}
    assert Reading(input_format="msp").header() == {"input_format": "msp"}
    assert Reading(repair=True, widest_window=25).header() == {
        "input_format": "auto",
        "repair": True,
        "widest_window": 25,
    }


def test_it_is_a_value_of_the_public_face():
    assert specbridge_tools.Reading() == DEFAULT_READING
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEFAULT_READING.input_format = "mgf"
