"""Collision energies in the words of the records."""

import pytest
from builders import spectrum

from specbridge_tools.spectra.energy import collision_energy_ev, parse_energy


def with_energy(text, *, charge=1, **metadata):
    return spectrum(precursor_mz=250.0, charge=charge, polarity=1, collision_energy=text, **metadata)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("40", 40, ""),
        ("30 eV", 30, "eV"),
        ("10 ev", 10, "eV"),
        ("20eV", 20, "eV"),
        ("45V", 45, "eV"),
        ("20.0V", 20, "eV"),
        ("-35 eV", 35, "eV"),
        ("Ramp 5-60 V", 32.5, "eV"),
        ("RAMP 21.6-32.4 eV", 27, "eV"),
        ("Ramp 22,9-34.3 eV", 28.6, "eV"),
        ("30-50", 40, ""),
        ("20 to 40 eV", 30, "eV"),
        ("6V-9V", 7.5, "eV"),
        ("35 eV FT-MS II", 35, "eV"),
        ("30 % (nominal)", 30, "NCE"),
        ("35  (nominal)", 35, "NCE"),
        ("30(NCE)", 30, "NCE"),
        ("20.0 NCE", 20, "NCE"),
        ("NCE 35", 35, "NCE"),
        ("61.67 % (nominal)", 61.67, "NCE"),
        ("15, 30, 45, 60, 70 or 90 (nominal)", 310 / 6, "NCE"),
        ("25,60,100% (stepped)", 185 / 3, "NCE"),
        ("42% (nominal) with stepped collision energies 30% and 55%", 127 / 3, "NCE"),
        ("HCD (NCE 20-30-40%)", 30, "NCE"),
        ("NCE=20% 30eV", 30, "eV"),
        ("HCD 30", 30, ""),
        ("35 CID", 35, ""),
        ("CE30", 30, ""),
        ("0 eV", 0, "eV"),
    ],
)
def test_spellings(text, value, unit):
    assert parse_energy(text) == (pytest.approx(value), unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "N/A",
        "HCD",
        "ceV",
        "SORI CID",
        "20 kV",
        "scaled by m/z",
        "80 % by Ar 50 %",
        "160-0.41mz or 15 (mz>350) nominal units",
        "scaled 80 (m/z=200) to 110 (m/z=120)",
        "high",
        "5000 eV",
        "9" * 400,
    ],
)
def test_what_cannot_be_told_is_none(text):
    assert collision_energy_ev(with_energy(text)) is None


def test_missing_is_none():
    assert collision_energy_ev(spectrum()) is None


@pytest.mark.parametrize(
    ("charge", "factor"), [(0, 1), (1, 1), (-1, 1), (2, 0.9), (-2, 0.9), (3, 0.85), (4, 0.8), (5, 0.75), (9, 0.75)]
)
def test_normalised_energies_grow_with_the_precursor(charge, factor):
    assert collision_energy_ev(with_energy("30 NCE", charge=charge)) == pytest.approx(15 * factor)
    assert collision_energy_ev(with_energy("30 eV", charge=charge)) == 30


@pytest.mark.parametrize(
    ("instrument", "value"),
    [
        ("LC-ESI-QFT", 15),
        ("LC-ESI-ITFT", 15),
        ("Q Exactive Plus", 15),
        ("LC-ESI-QTOF", 30),
        ("", 30),
        ("Soft TOF", 30),
    ],
)
def test_a_bare_number_is_meant_as_the_instrument_means_it(instrument, value):
    assert collision_energy_ev(with_energy("30", instrument_type=instrument)) == pytest.approx(value)
