"""Molecular formulas without rdkit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.constants import ATOM_MASS
from specbridge_tools.errors import DataError
from specbridge_tools.molecules.formula import hill, mass_of_formula, parse_formula


@pytest.mark.parametrize(
    ("text", "atoms", "charge", "canonical"),
    [
        ("H2O", {"H": 2, "O": 1}, 0, "H2O"),
        ("C6H12O6", {"C": 6, "H": 12, "O": 6}, 0, "C6H12O6"),
        ("OH6C2", {"C": 2, "H": 6, "O": 1}, 0, "C2H6O"),
        ("ClHBr", {"Cl": 1, "H": 1, "Br": 1}, 0, "BrClH"),
        ("C5H14NO+", {"C": 5, "H": 14, "N": 1, "O": 1}, 1, "C5H14NO+"),
        ("[C5H14NO]+", {"C": 5, "H": 14, "N": 1, "O": 1}, 1, "C5H14NO+"),
        ("C6H16N2+2", {"C": 6, "H": 16, "N": 2}, 2, "C6H16N2+2"),
        ("[C6H16N2]2+", {"C": 6, "H": 16, "N": 2}, 2, "C6H16N2+2"),
        ("C2O4--", {"C": 2, "O": 4}, -2, "C2O4-2"),
        ("[C2O4]-2", {"C": 2, "O": 4}, -2, "C2O4-2"),
        ("Ca(C2H3O2)2", {"Ca": 1, "C": 4, "H": 6, "O": 4}, 0, "C4H6CaO4"),
        ("C(CH2(OH))4", {"C": 5, "H": 12, "O": 4}, 0, "C5H12O4"),
        (" C 2 H 6 ", {"C": 2, "H": 6}, 0, "C2H6"),
        ("C2H0", {"C": 2}, 0, "C2"),
    ],
)
def test_reading_and_writing(text, atoms, charge, canonical):
    assert parse_formula(text) == (atoms, charge)
    assert hill(atoms, charge) == canonical


@pytest.mark.parametrize(
    "text", ["", "c6h6", "C(", "C)", "C((H)", "()", "C-H", "6C", "C6H6.", "[C6", "+", "C" + "9" * 7]
)
def test_what_is_no_formula(text):
    with pytest.raises(DataError, match="is not a molecular formula"):
        parse_formula(text)


@given(st.dictionaries(st.sampled_from(sorted(ATOM_MASS)), st.integers(1, 300), min_size=1), st.integers(-3, 3))
def test_hill_order_can_be_read_again(atoms, charge):
    assert parse_formula(hill(atoms, charge)) == (atoms, charge)


@given(st.text(max_size=20))
def test_any_text_is_a_formula_or_a_data_error(text):
    try:
        atoms, charge = parse_formula(text)
    except DataError:
        return
    assert parse_formula(hill(atoms, charge)) == (atoms, charge)


def test_masses():
    assert mass_of_formula("H2O") == pytest.approx(18.010564683, abs=1e-8)
    assert mass_of_formula("C8H10N4O2") == pytest.approx(194.080375576, abs=1e-7)
    # electrons are not subtracted
    assert mass_of_formula("C5H14NO+") == mass_of_formula("C5H14NO")


def test_an_element_without_a_mass_is_named():
    with pytest.raises(DataError, match="no mass for Xx"):
        mass_of_formula("C2Xx")
