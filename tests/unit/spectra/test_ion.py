"""Charge, polarity and adduct that contradict each other: rejected, or repaired where two of three agree."""

import pytest

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.mgf import mgf_text


def record(charge="", mode="", adduct="", *, more=""):
    fields = {"CHARGE": charge, "IONMODE": mode, "ADDUCT": adduct}
    lines = "".join(f"{key}={value}\n" for key, value in fields.items() if value)
    return f"BEGIN IONS\nTITLE=a\nPEPMASS=193.0506\n{lines}{more}134.0373 100\nEND IONS\n"


@pytest.mark.parametrize(
    ("texts", "ion", "repaired"),
    [
        (("1-", "positive", "M-H"), ("[M-H]-", -1, -1), "polarity was positive"),
        (("2+", "negative", "[M+2H]2+"), ("[M+2H]2+", 2, 1), "polarity was negative"),
        (("1-", "positive", "[M+H]+"), ("[M+H]+", 1, 1), "charge was 1-"),
        (("2-", "positive", "[M+H]+"), ("[M+H]+", 1, 1), "charge was 2-"),
        (("1+", "positive", "[M-H]-"), (None, 1, 1), "adduct was [M-H]-"),
        (("2+", "ESI+", "[M-H]-"), (None, 2, 1), "adduct was [M-H]-"),
        (("1-", "positive", "[M+?]-"), (None, -1, -1), "polarity was positive"),
        (("1-", "positive", "[M+?]+"), (None, 0, 1), "charge was 1-"),
    ],
)
def test_two_of_three_win(read, read_one, texts, ion, repaired):
    text = record(*texts)
    (rejected,) = read(text)
    assert (rejected.reason, rejected.id) == (reasons.CONTRADICTORY_CHARGE, "a")
    spectrum = read_one(text, repair=True)
    assert (spectrum.adduct, spectrum.charge, spectrum.polarity) == ion
    assert (spectrum.repaired, spectrum.notes) == (repaired, ("repaired",))
    assert spectrum.metadata["ionmode"] == {1: "positive", -1: "negative"}[spectrum.polarity]
    assert "charge" not in spectrum.metadata


@pytest.mark.parametrize(
    "texts",
    [
        ("1-", "positive", ""),  # two statements: none has the majority
        ("", "positive", "[M-H]-"),
        ("1-", "", "[M+H]+"),
        ("1", "positive", "[M-H]-"),  # without a sign, the charge says nothing of polarity
        ("2+", "positive", "[M+H]+"),  # all of one sign, and the polarity says nothing of the size
        ("2-", "positive", "[M-H]-"),
    ],
)
def test_without_two_that_agree_it_is_rejected(read, texts):
    assert [entry.reason for entry in read(record(*texts), repair=True)] == [reasons.CONTRADICTORY_CHARGE]


def test_the_plus_of_r_is_no_statement(read):
    # Spectra of R writes CHARGE=1+ in either polarity: so two are left
    text = record("1+", "", "[M+H]+", more="POLARITY=0\n")
    assert [entry.reason for entry in read(text, repair=True)] == [reasons.CONTRADICTORY_CHARGE]


@pytest.mark.parametrize("texts", [("1+", "positive", "[M+H]+"), ("1", "negative", "[M-H]-"), ("", "", "")])
def test_what_agrees_stays_as_it_is(read_one, texts):
    plain, repaired = read_one(record(*texts)), read_one(record(*texts), repair=True)
    assert mgf_text(plain) == mgf_text(repaired)
    assert repaired.notes == ()
    assert repaired.repaired == ""


def test_a_repaired_record_can_be_written_and_read_again(read_one):
    spectrum = read_one(record("1-", "positive", "M-H"), repair=True)
    again = read_one(mgf_text(spectrum))
    assert (again.adduct, again.charge, again.polarity) == ("[M-H]-", -1, -1)
    assert again.metadata["repaired"] == "polarity was positive"
    # what an earlier run did is not counted again
    assert (again.notes, again.repaired) == ((), "")


def test_msp(read, read_one):
    text = "Name: a\nPrecursorMZ: 193.05\nCharge: -1\nIon_mode: P\nPrecursor_type: [M-H]-\nNum Peaks: 1\n134.04 9\n"
    assert isinstance(read(text)[0], Rejection)
    assert read_one(text, repair=True).repaired == "polarity was P"
