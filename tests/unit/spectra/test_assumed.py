"""What is said of a whole file: it holds where a record says nothing, and contradicts one that says otherwise."""

import dataclasses

import pytest

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.molecules.adducts import adducts_of, parse_adduct
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.assumed import with_assumed
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading


def record(charge="", mode="", adduct=""):
    fields = {"CHARGE": charge, "IONMODE": mode, "ADDUCT": adduct}
    lines = "".join(f"{key}={value}\n" for key, value in fields.items() if value)
    return f"BEGIN IONS\nTITLE=a\nPEPMASS=193.0506\n{lines}134.0373 100\nEND IONS\n"


def tried(spectrum):
    return [adduct.name for adduct in adducts_of(spectrum)]


@pytest.mark.parametrize(
    ("texts", "polarity", "ion"),
    [
        (("", "", ""), -1, (None, 0, -1)),
        (("", "unknown", ""), 1, (None, 0, 1)),
        (("2", "", ""), -1, (None, -2, -1)),  # a charge without a sign takes that of the file
        (("1-", "", ""), -1, (None, -1, -1)),
        (("", "", "M"), -1, ("[M]-", -1, -1)),
        (("1+", "pos", "[M+H]+"), 1, ("[M+H]+", 1, 1)),
    ],
)
def test_polarity(read_one, texts, polarity, ion):
    spectrum = read_one(record(*texts), polarity=polarity)
    assert (spectrum.adduct, spectrum.charge, spectrum.polarity) == ion


@pytest.mark.parametrize("texts", [("1+", "", ""), ("", "positive", ""), ("", "", "[M+H]+"), ("1+", "pos", "[M+H]+")])
def test_a_record_of_the_other_polarity_is_rejected(read, texts):
    for repair in (False, True):
        (rejected,) = read(record(*texts), polarity=-1, repair=repair)
        assert rejected.reason == reasons.CONTRADICTORY_CHARGE
        assert "negative" in rejected.detail


def test_the_polarity_of_the_file_is_the_third_statement_that_repairs(read, read_one):
    text = record("1+", "", "[M-H]-")
    assert [one.reason for one in read(text, polarity=-1)] == [reasons.CONTRADICTORY_CHARGE]
    spectrum = read_one(text, polarity=-1, repair=True)
    assert (spectrum.adduct, spectrum.charge, spectrum.repaired) == ("[M-H]-", -1, "charge was 1+")


ADDUCTS = ("M+H", "[2M+Na]+", "[M+Cu]2+", "[M-H]-")


@pytest.mark.parametrize(
    ("texts", "polarity", "names", "ion"),
    [
        (("", "", ""), 0, ["[M+H]+", "[2M+Na]+", "[M+Cu]2+", "[M-H]-"], (None, 0, 0)),
        (("", "positive", ""), 0, ["[M+H]+", "[2M+Na]+", "[M+Cu]2+"], (None, 0, 1)),
        (("1", "", ""), 1, ["[M+H]+", "[2M+Na]+"], (None, 1, 1)),
        (("1+", "", ""), 0, ["[M+H]+", "[2M+Na]+"], (None, 1, 1)),
        (("2+", "", ""), 0, ["[M+Cu]2+"], ("[M+Cu]2+", 2, 1)),
        (("", "", ""), -1, ["[M-H]-"], ("[M-H]-", -1, -1)),
        (("", "", "[M+H]1+"), 0, ["[M+H]+"], ("[M+H]+", 1, 1)),
    ],
)
def test_adducts_that_charge_and_polarity_allow_are_tried(read_one, texts, polarity, names, ion):
    spectrum = read_one(record(*texts), adducts=ADDUCTS, polarity=polarity)
    assert tried(spectrum) == names
    assert (spectrum.adduct, spectrum.charge, spectrum.polarity) == ion


@pytest.mark.parametrize("texts", [("", "", "[M+K]+"), ("3+", "", ""), ("2-", "", "")])
def test_a_record_that_no_adduct_of_the_file_suits_is_rejected(read, texts):
    (rejected,) = read(record(*texts), adducts=ADDUCTS)
    assert rejected.reason == reasons.CONTRADICTORY_CHARGE
    assert rejected.detail.endswith("--adducts [M+H]+, [2M+Na]+, [M+Cu]2+, [M-H]-")


def test_rows_of_embeddings_are_treated_alike(read, read_one):
    for texts in (("", "", ""), ("1+", "", ""), ("", "neg", ""), ("", "", "[M+K]+"), ("", "", "[M+H]+")):
        for rules in ({"adducts": ADDUCTS}, {"polarity": 1}, {"polarity": -1, "adducts": ADDUCTS}):
            (expected,) = read(record(*texts), **rules)
            found = with_assumed(read_one(record(*texts)), Reading(**rules), "e.h5")
            if isinstance(expected, Rejection):
                assert (found.reason, found.id, found.record) == (expected.reason, "a", 1)
            else:
                fields = ("adduct", "charge", "polarity", "adducts")
                assert [getattr(found, name) for name in fields] == [getattr(expected, name) for name in fields]


def test_without_a_word_of_the_file_nothing_changes(read_one):
    spectrum = read_one(record())
    assert with_assumed(spectrum, DEFAULT_READING, "e.h5") is spectrum
    assert spectrum.adducts == ()


def test_what_is_said_of_a_file_must_make_sense():
    assert Reading(adducts=("M+H", "[M+H]+")).adducts == ("[M+H]+",)
    assert dataclasses.replace(Reading(adducts=("M+H",)), repair=True).adducts == ("[M+H]+",)
    with pytest.raises(UsageError, match="none of the adducts has the polarity"):
        Reading(adducts=("[M+H]+",), polarity=-1)
    with pytest.raises(UsageError, match="no polarity: 2"):
        Reading(polarity=2)
    with pytest.raises(DataError, match="unknown adduct"):
        Reading(adducts=("nonsense",))


@pytest.mark.parametrize(
    ("text", "name", "shift"),
    [
        ("[M+Cu-H]+", "[M-H+Cu]+", 61.9212),
        ("[2M+Pb-H]+", "[2M-H+Pb]+", 206.9683),
        ("[M+Pd+Cl]+", "[M+Cl+Pd]+", 140.8718),
        ("[M+Cr-2H]+", "[M-2H+Cr]+", 49.9243),
        ("[M+Eu]3+", "[M+Eu]3+", 152.9196),
        ("[M+UO2]2+", "[M+H2O2-2H+U]2+", 270.0395),
        ("[M+Hg-H]+", "[M-H+Hg]+", 200.9623),
    ],
)
def test_metals(text, name, shift):
    adduct = parse_adduct(text)
    assert (adduct.name, adduct.mass_shift) == (name, pytest.approx(shift, abs=1e-4))
    assert parse_adduct(name) == adduct
