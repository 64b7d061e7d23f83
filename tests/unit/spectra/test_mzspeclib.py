"""mzSpecLib text: attribute sets, analytes, groups with units; each fault is one rejection."""

import collections

import pytest
from library_files import MZSPECLIB

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons

BEGIN = MZSPECLIB.index("<Spectrum=")
HEAD, SPECTRUM = MZSPECLIB[:BEGIN], MZSPECLIB[BEGIN:]


def test_a_spectrum(read_one):
    spectrum = read_one(MZSPECLIB)
    assert (spectrum.id, spectrum.precursor_mz) == ("Sulfaclozine", 285.0208)
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (1, 1, "[M+H]+")
    assert spectrum.mz.tolist() == [65.0382, 108.0457, 156.0118]
    assert spectrum.intensity.tolist() == pytest.approx([3.822962, 12.172375, 100])
    assert (spectrum.record, spectrum.line) == (1, 13)
    wanted = {
        "name": "Sulfaclozine",
        "spectrum_key": "7",
        "smiles": "c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl",
        "inchikey": "QKLPUVXBJHRFQZ-UHFFFAOYSA-N",
        "formula": "C10H9ClN4O2S",
        "mslevel": "2",
        "ionmode": "positive scan",
        "instrument": "LTQ Orbitrap Velos",
        "collision_energy": "30 eV",
        "rtinseconds": "276",
    }
    assert {key: spectrum.metadata.get(key) for key in wanted} == wanted
    assert spectrum.metadata["inchi"].startswith("InChI=1S/C10H9ClN4O2S/")


def test_what_a_spectrum_says_wins_over_the_sets(read_one):
    text = SPECTRUM.replace("MS:1003059", "MS:1000465|scan polarity=MS:1000129|negative scan\nMS:1003059")
    text = text.replace("[1]MS:1003212|library attribute set name=PROTONATED\n", "")
    spectrum = read_one(HEAD + text)
    assert (spectrum.polarity, spectrum.charge, spectrum.adduct) == (-1, 0, None)


def test_levels(read):
    skipped = collections.Counter()
    third = SPECTRUM.replace("MS:1003059", "MS:1000511|ms level=3\nMS:1003059")
    assert [each.record for each in read(HEAD + third + SPECTRUM + third, skipped=skipped)] == [2]
    assert skipped == {"MS3 or deeper": 2}


def test_the_precursor_of_theory_where_none_was_measured(read_one):
    text = SPECTRUM.replace("MS:1003208|experimental precursor monoisotopic m/z=285.0208\n", "")
    assert read_one(HEAD + text).precursor_mz == 285.0207


def test_several_analytes_are_no_structure(read_one):
    text = SPECTRUM.replace("<Interpretation=1>", "<Analyte=2>\nMS:1000868|SMILES formula=CCO\n<Interpretation=1>")
    spectrum = read_one(HEAD + text)
    assert "smiles" not in spectrum.metadata
    assert spectrum.metadata["n_analytes"] == "2"


def test_without_a_name_the_key_is_the_id(read_one):
    assert read_one(HEAD + SPECTRUM.replace("MS:1003061|library spectrum name=Sulfaclozine\n", "")).id == "7"


def test_clusters_are_passed_over(read):
    cluster = "<Cluster=1>\nMS:1003267|cluster member spectrum keys=7\n"
    assert [each.id for each in read(HEAD + SPECTRUM + cluster)] == ["Sulfaclozine"]


@pytest.mark.parametrize("first", ["<mzSpecLib 1.0>", "<mzSpecLib>", "\ufeff<mzSpecLib>"])
def test_versions(read_one, first):
    assert read_one(MZSPECLIB.replace("<mzSpecLib>", first)).n_peaks == 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("285.0208", "x", reasons.PRECURSOR_NOT_A_NUMBER),
        ("MS:1003053|", "MS:9|", None),
        ("number of peaks=3", "number of peaks=4", reasons.PEAK_COUNT_DIFFERS),
        ("108.0457\t12.172375", "108.0457\tx", reasons.PEAK_NOT_A_NUMBER),
        ("108.0457\t12.172375\t", "108.0457 ", reasons.PEAK_NOT_A_NUMBER),
        ("108.0457\t12.172375\tf{C6H6NO}/-0.0001", "108.0457", reasons.UNEQUAL_ARRAYS),
        ("108.0457\t12", "108.0457\t-12", reasons.NEGATIVE_INTENSITY),
        ("name=Sulfaclozine", "name=Sulfa\0", reasons.NUL_BYTES),
        ("[2]MS:1003275|other attribute name=CAS", "what is this", reasons.TEXT_OUTSIDE_RECORDS),
        ("<Analyte=1>", "MS:1000041|charge state=2\n<Analyte=1>", reasons.CONTRADICTORY_FIELDS),
        (
            "<Analyte=1>",
            "MS:1003072|spectrum origin type=MS:1003195|shuffled decoy\n<Analyte=1>",
            reasons.DECOY_SPECTRUM,
        ),
        ("SPLIT", "", None),
    ],
)
def test_rejections(read, old, new, reason):
    first, second = read(HEAD + SPECTRUM.replace(old, new) + SPECTRUM)
    assert (second.record, second.n_peaks) == (2, 3)
    if reason is None:
        assert first.n_peaks == 3
    else:
        assert isinstance(first, Rejection)
        assert (first.reason, first.record, first.line) == (reason, 1, 13)


def test_no_peaks_and_no_precursor(read):
    text = SPECTRUM[: SPECTRUM.index("<Peaks>")].replace("number of peaks=3", "number of peaks=0")
    bare = "<Spectrum=1>\n<Peaks>\n50\t1\n"
    assert [each.reason for each in read(HEAD + text + bare)] == [reasons.NO_PEAKS, reasons.NO_PRECURSOR]
