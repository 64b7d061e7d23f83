"""How badly isotope patterns fit MS1 peaks: an intensity of M+2 tells chlorine from sulfur."""

import math

import numpy as np
import pytest

from specbridge_tools.search.candidates.isotopes import isotope_misfits

# of 4-chlorobenzoic acid, [M-H]-
CHLORINE = np.array([[154.9905, 100.0], [155.9939, 7.8], [156.9876, 32.1]])


def misfits(peaks, *ions, mz=154.9905):
    formulas, adducts = zip(*ions, strict=True)
    return isotope_misfits(np.array(peaks), mz, formulas, adducts).tolist()


def test_chlorine_is_told_from_sulfur():
    chlorine, sulfur, again = misfits(CHLORINE, ("C7H5ClO2", "[M-H]-"), ("C6H4O3S", "[M-H]-"), ("C7H5ClO2", "[M-H]-"))
    assert chlorine == again < 0.1
    assert sulfur > 1.5


def test_patterns_are_of_the_ion():
    dimer = [[385.1584, 100.0], [386.1612, 20.6], [387.1640, 3.0]]  # [2M+H]+ of caffeine without its nitrogen's share
    single, double = misfits(dimer, ("C8H10N4O2", "[M+H]+"), ("C8H10N4O2", "[2M+H]+"), mz=385.1584)
    assert double < 0.2
    assert single > double
    (doubly,) = misfits([[98.0475, 100.0], [98.5492, 10.3]], ("C8H10N4O2", "[M+2H]2+"), mz=98.0475)
    assert doubly < 0.1
    (copper,) = misfits([[256.0016, 100.0], [257.004, 10.0], [257.9998, 45.0]], ("C8H10N4O2", "[M-H+Cu]+"), mz=256.0016)
    assert copper < 0.2


@pytest.mark.parametrize(
    ("peaks", "ion"),
    [
        (np.zeros((0, 2)), ("C7H5ClO2", "[M-H]-")),
        ([[154.9905, 100.0], [156.9876, 32.1]], ("C7H5ClO2", "[M-H]-")),  # weak isotopes are not in the file
        ([[154.9, 100.0], [155.9, 7.8]], ("C7H5ClO2", "[M-H]-")),  # no precursor
        (CHLORINE, ("C7H5ClO2", "")),
        (CHLORINE, ("no formula", "[M-H]-")),
        (CHLORINE, ("C7H5ClO2", "[M+37Cl]-")),
        (CHLORINE, ("CO2", "[M-H]-")),
    ],
)
def test_where_nothing_can_be_said(peaks, ion):
    assert all(map(math.isnan, misfits(peaks, ion)))


def test_a_peak_that_is_missing_counts_as_the_weakest():
    assert misfits(CHLORINE[:2], ("C6H4O3S", "[M-H]-"))[0] < 1
    assert misfits(CHLORINE[:2], ("C7H5ClO2", "[M-H]-"))[0] > 1
