"""Structures as pictures."""

import time
import xml.etree.ElementTree as ET

import giants
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.drawing import MAX_DRAWN_ATOMS, draw_structure


def test_a_structure_is_drawn_with_its_letters():
    svg = ET.fromstring(draw_structure("CC(=O)N(F)Cl", width=200, height=100))
    assert (svg.get("width"), svg.get("height")) == ("200px", "100px")
    letters = "".join(text.text for text in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert sorted(letters) == sorted("ONFCl")
    # five bonds, the double one twice, those to other elements in two colours
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}path"))) >= 6


@pytest.mark.parametrize("smiles", ["", "no", "C1CC", "[C", "<script>"])
def test_what_is_no_structure_cannot_be_drawn(smiles):
    with pytest.raises(DataError):
        draw_structure(smiles, width=10, height=10)


@pytest.mark.parametrize(
    "smiles", [giants.torus(17), giants.spiro(300), ".".join(["C"] * 1000)], ids=["torus", "spiro", "apart"]
)
def test_giants_are_not_drawn(smiles):
    started = time.process_time()
    with pytest.raises(DataError, match=r"too large to be drawn: \d+ atoms"):
        draw_structure(smiles, width=220, height=140)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("smiles", ["C" * MAX_DRAWN_ATOMS, giants.torus(15)], ids=["chain", "torus"])
def test_the_largest_that_are_drawn_take_a_moment(smiles):
    started = time.process_time()
    assert draw_structure(smiles, width=220, height=140).startswith("<?xml")
    assert time.process_time() - started < 5
