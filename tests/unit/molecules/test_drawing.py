"""Structures as pictures."""

import re
import time
import xml.etree.ElementTree as ET

import giants
import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.molecules.drawing import MAX_DRAWN_ATOMS, draw_structure


def test_a_structure_is_drawn_with_its_letters():
    svg = ET.fromstring(draw_structure("CC(=O)N(F)Cl", width=200, height=100).svg)
    assert (svg.get("width"), svg.get("height")) == ("200", "100")
    letters = "".join(text.text for text in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert sorted(letters) == sorted("ONFCl")
    # a path a colour: carbon and four others; five bonds, the double one twice, those to other elements in two colours
    paths = list(svg.iter("{http://www.w3.org/2000/svg}path"))
    assert len(paths) == 5
    assert sum(path.get("d").count("M") for path in paths) >= 11


def test_a_drawing_knows_where_its_atoms_are():
    drawing = draw_structure("CC(=O)N", width=200, height=100)
    assert drawing.elements == ("C", "C", "O", "N")
    assert drawing.bonds.tolist() == [[0, 1], [1, 2], [1, 3]]
    ends = np.array(re.findall(r"([\d.]+),([\d.]+)", drawing.svg), float)
    for atom in (0, 1):  # a carbon is where lines end
        assert np.abs(ends - drawing.atoms[atom]).max(axis=1).min() < 0.1
    letters = re.findall(r"x='([\d.]+)' y='([\d.]+)'>([ON])", drawing.svg)
    assert {letter for *_, letter in letters} == {"O", "N"}
    for x, y, letter in letters:
        place = drawing.atoms[drawing.elements.index(letter)]
        assert abs(place - np.array([float(x), float(y)])).max() < 10


@pytest.mark.parametrize("smiles", ["[Na+].[Cl-]", "[13CH4]", "C", "C[C@H](N)[C@@H](O)/C=C/Cl", "C~C", "*C", "[2H]C"])
def test_the_short_form_is_a_picture(smiles):
    drawing = draw_structure(smiles, width=200, height=100)
    svg = ET.fromstring(drawing.svg)
    assert len(list(svg.iter())) > 1
    assert len(drawing.svg) < 2000
    assert ";'" not in drawing.svg
    assert len(drawing.atoms) == len(drawing.elements)


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
    assert draw_structure(smiles, width=220, height=140).svg.startswith("<svg")
    assert time.process_time() - started < 5
