"""SIRIUS .ms: compounds of several spectra, options anywhere, MS1 passed over; each fault is one rejection."""

import collections

import pytest
from library_files import SIRIUS

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons

COMPOUND = ">compound a\n>parentmass 100.5\n>ionization {ion}\n\n>ms2 {energy}\n50 1\n60 2\n"


def compound(ion="[M+H]+", energy="20"):
    return COMPOUND.format(ion=ion, energy=energy)


def test_compounds(read):
    skipped = collections.Counter()
    first, second, third = read(SIRIUS, skipped=skipped)
    assert skipped == {"MS1": 1}
    assert [spectrum.record for spectrum in (first, second, third)] == [2, 3, 4]
    assert [spectrum.line for spectrum in (first, second, third)] == [15, 20, 27]
    assert (first.id, first.precursor_mz, first.adduct) == ("Bicuculline", 368.113616943359, "[M+H]+")
    assert first.mz.tolist() == [190.0863, 307.0601, 325.0707]
    assert first.intensity[1] == 100
    assert first.metadata["collision_energy"] == "35"
    assert first.metadata["formula"] == "C20H17NO6"
    assert first.metadata["smiles"].startswith("CN1CCC2")
    assert first.metadata["rtinseconds"] == "83.4"
    assert "collision_energy" not in second.metadata
    assert (second.mz.tolist(), second.precursor_mz) == ([190.0864], 368.113616943359)
    assert (third.id, third.precursor_mz, third.charge, third.adduct) == ("feature 2", 301.0718, -1, None)


def test_options_behind_the_spectrum_are_of_the_compound(read_one):
    spectrum = read_one(compound() + "\n>smiles CCO\n>feature_id 17\n")
    assert (spectrum.id, spectrum.metadata["smiles"]) == ("17", "CCO")


@pytest.mark.parametrize(
    ("ion", "charge", "polarity", "adduct"),
    [
        ("[M+H]+", 1, 1, "[M+H]+"),
        ("[M - H]-", -1, -1, "[M-H]-"),
        ("[M+?]-", 0, -1, None),
        ("[M+H]+ (0.9)", 1, 1, "[M+H]+"),
        ("[M+H]+,[M+Na]+", 0, 1, None),
        ("[M+H]+(0.5), [M+Na]+(0.5)", 0, 1, None),
        ("[M+H]+,[M-H]-", 0, 0, None),
    ],
)
def test_ionizations(read_one, ion, charge, polarity, adduct):
    spectrum = read_one(compound(ion))
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (charge, polarity, adduct)


@pytest.mark.parametrize(("text", "charge"), [("1", 1), ("-1", -1), ("+2", 2), ("2-", -2)])
def test_a_charge_alone_has_a_sign(read_one, text, charge):
    assert read_one(compound().replace("ionization [M+H]+", f"charge {text}")).charge == charge


def test_a_charge_beside_an_ionization(read):
    spectrum, rejection = read(compound("[M-H]-\n>charge 1") + compound("[M+H]+\n>charge -1"))
    assert spectrum.charge == -1
    assert rejection.reason == reasons.CONTRADICTORY_CHARGE


def test_two_words_of_one_spectrum(read_one):
    spectrum = read_one(compound().replace(">ms2 20\n", ">collision 35\n>ms2\n\n"))
    assert (spectrum.metadata["collision_energy"], spectrum.n_peaks) == ("35", 2)


def test_settings_begin_no_spectrum(read_one):
    settings = ">ppm-max-ms2 5\n>MS2MassDeviation.allowedMassDeviation 5.0ppm\n>quality UNKNOWN\n"
    assert read_one(compound().replace(">parentmass", f"{settings}>parentmass")).n_peaks == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (">parentmass 100.5\n", "", reasons.NO_PRECURSOR),
        ("100.5", "about 100", reasons.PRECURSOR_NOT_A_NUMBER),
        ("100.5", "0", reasons.PRECURSOR_NOT_POSITIVE),
        ("100.5", "100.5\n>parentmass 101", reasons.CONTRADICTORY_FIELDS),
        ("[M+H]+", "strange", reasons.UNKNOWN_ADDUCT),
        ("50 1\n60 2\n", "", reasons.NO_PEAKS),
        (">ms2 20\n50 1\n60 2\n", "", reasons.NO_PEAKS),
        ("60 2", "60", reasons.UNEQUAL_ARRAYS),
        ("60 2", "60 2 3", reasons.UNEQUAL_ARRAYS),
        ("60 2", "60 nan", reasons.PEAK_NOT_A_NUMBER),
        ("60 2", "sixty 2", reasons.PEAK_NOT_A_NUMBER),
        ("60 2", "60 -2", reasons.NEGATIVE_INTENSITY),
        ("compound a", "compound a\0", reasons.NUL_BYTES),
    ],
)
def test_rejections(read, old, new, reason):
    assert old in compound()
    rejection, spectrum = read(compound().replace(old, new) + compound())
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.record) == (reason, 1)
    assert (spectrum.n_peaks, spectrum.record) == (2, 2)


def test_peaks_of_no_spectrum(read):
    spectrum, rejection = read(compound() + "\n70 1\n80 1\n")
    assert spectrum.n_peaks == 2
    assert (rejection.reason, rejection.record, rejection.line) == (reasons.TEXT_OUTSIDE_RECORDS, 2, 9)


def test_text_before_the_first_compound(read):
    rejection, spectrum = read("# fine\nhello\nyou\n" + compound())
    assert (rejection.reason, rejection.line) == (reasons.TEXT_OUTSIDE_RECORDS, 2)
    assert spectrum.record == 2
