"""Isotope patterns at unit resolution."""

import itertools
import math

import numpy as np
import pytest
from pyteomics.mass import nist_mass

from specbridge_tools.molecules.formula import parse_formula
from specbridge_tools.molecules.isotope_pattern import isotope_pattern


def pattern(formula):
    return isotope_pattern(tuple(sorted(parse_formula(formula)[0].items())))


@pytest.mark.parametrize(
    ("formula", "first", "second"),
    [
        ("C8H10N4O2", 0.1031, 0.0089),
        ("C14H10Cl2NO2", 0.1570, 0.6555),
        ("C6H5Br", 0.0655, 0.9746),
        ("C60", 0.649, 0.207),
    ],
)
def test_known_patterns(formula, first, second):
    abundance, mass = pattern(formula)
    assert abundance == pytest.approx([1, first, second], abs=1e-3)
    assert mass == pytest.approx([0, 1.003, 2.0], abs=0.01)


def test_it_is_the_sum_over_all_isotopologues():
    atoms = [
        [(value, share) for number, (value, share) in nist_mass[element].items() if number and share]
        for element in ("C", "H", "H", "S", "Cl", "Cl")
    ]
    lightest = sum(isotopes[0][0] for isotopes in atoms)
    sums, moments = np.zeros(16), np.zeros(16)
    for chosen in itertools.product(*atoms):
        shift = sum(value for value, _ in chosen) - lightest
        share = math.prod(share for _, share in chosen)
        sums[round(shift)] += share
        moments[round(shift)] += share * shift
    abundance, above = pattern("CH2SCl2")
    assert abundance == pytest.approx(sums[:3] / sums[0], rel=1e-6)
    assert above == pytest.approx(moments[:3] / sums[:3], abs=1e-6)


def test_what_has_no_pattern():
    assert isotope_pattern((("C", 1), ("H", -1))) is None
    assert isotope_pattern((("Xx", 1),)) is None
    abundance, mass = isotope_pattern((("F", 2),))
    assert abundance.tolist() == [1, 0, 0]
    assert np.isnan(mass[1:]).all()
