"""MassBank records: fields, levels, peaks; each way to be wrong is one rejection."""

import collections

import pytest
from library_files import MASSBANK

from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons


def changed(old, new):
    assert old in MASSBANK
    return MASSBANK.replace(old, new)


def test_a_record(read_one):
    spectrum = read_one(MASSBANK)
    assert (spectrum.id, spectrum.precursor_mz) == ("MSBNK-Athens_Univ-AU100601", 285.0208)
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (1, 1, "[M+H]+")
    assert spectrum.mz.tolist() == [65.0382, 92.0498, 108.0457, 156.0118]
    assert spectrum.intensity.tolist() == [3804, 7664, 12112, 99504]
    assert (spectrum.record, spectrum.line) == (1, 1)
    metadata = dict(spectrum.metadata)
    wanted = {
        "name": "Sulfaclozine",
        "synonym": "4-amino-N-(6-chloropyrazin-2-yl)benzenesulfonamide",
        "formula": "C10H9ClN4O2S",
        "smiles": "c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl",
        "inchikey": "QKLPUVXBJHRFQZ-UHFFFAOYSA-N",
        "instrument": "Bruker maXis Impact",
        "instrument_type": "LC-ESI-QTOF",
        "mslevel": "MS2",
        "ionmode": "POSITIVE",
        "ionization": "ESI",
        "collision_energy": "Ramp 21.1-31.6 eV",
        "retention_time": "4.6 min",
        "license": "CC BY",
        "comment": "CONFIDENCE standard compound; INTERNAL_ID 1006",
        "solvent": "A water with 0.01% formic acid; B 90:10 methanol:water",
        "link_cas": "102-65-8",
    }
    assert {key: metadata.get(key) for key in wanted} == wanted
    assert metadata["inchi"].startswith("InChI=1S/C10H9ClN4O2S/")


def test_levels(read):
    skipped = collections.Counter()
    levels = [changed("MS_TYPE MS2", f"MS_TYPE {level}") for level in ("MS", "MS2", "MS3", "MS4")]
    # an adduct of two steps is one of MS3
    levels[2] = levels[2].replace("PRECURSOR_TYPE [M+H]+", "PRECURSOR_TYPE [M+CH3COO]-/[M-CH3]-")
    (spectrum,) = read("".join(levels), skipped=skipped)
    assert spectrum.record == 2
    assert skipped == {"MS1": 1, "MS3 or deeper": 2}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_older_spellings(read_one, end):
    text = changed("PRECURSOR_M/Z", "PRECURSOR_MZ").replace("PRECURSOR_TYPE", "ION_TYPE").replace("\n", end)
    spectrum = read_one("\ufeff" + text)
    assert (spectrum.precursor_mz, spectrum.adduct) == (285.0208, "[M+H]+")


def test_two_columns_are_enough(read_one):
    assert read_one(changed(" 3804 38\n", " 3804\n")).intensity[0] == 3804


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("MS$FOCUSED_ION: PRECURSOR_M/Z 285.0208\n", "", reasons.NO_PRECURSOR),
        ("PRECURSOR_M/Z 285.0208", "PRECURSOR_M/Z N/A", reasons.NO_PRECURSOR),
        ("PRECURSOR_M/Z 285.0208", "PRECURSOR_M/Z x", reasons.PRECURSOR_NOT_A_NUMBER),
        ("ION_MODE POSITIVE", "ION_MODE NEGATIVE", reasons.CONTRADICTORY_CHARGE),
        ("ION_MODE POSITIVE", "ION_MODE SIDEWAYS", reasons.UNKNOWN_POLARITY),
        ("PRECURSOR_TYPE [M+H]+", "PRECURSOR_TYPE [X]", reasons.UNKNOWN_ADDUCT),
        ("PK$NUM_PEAK: 4", "PK$NUM_PEAK: 5", reasons.PEAK_COUNT_DIFFERS),
        ("PK$NUM_PEAK: 4", "PK$NUM_PEAK: N/A", reasons.PEAK_COUNT_DIFFERS),
        ("PK$NUM_PEAK: 4\n", "", reasons.PEAK_COUNT_DIFFERS),
        ("PK$PEAK: m/z int. rel.int.\n", "", reasons.NO_PEAKS),
        (" 3804 38\n", " x 38\n", reasons.PEAK_NOT_A_NUMBER),
        (" 3804 38\n", " 1e999 38\n", reasons.PEAK_NOT_A_NUMBER),
        (" 3804 38\n", "\n", reasons.UNEQUAL_ARRAYS),
        (" 3804 38\n", " 1 2 3 4\n", reasons.UNEQUAL_ARRAYS),
        (" 3804 38\n", " -3804 38\n", reasons.NEGATIVE_INTENSITY),
        ("  65.0382 3804", "  -65.0382 3804", reasons.MZ_NOT_POSITIVE),
        ("Sulfaclozine\n", "Sulfa\0clozine\n", reasons.NUL_BYTES),
        ("LICENSE: CC BY\n", "what is this\n", reasons.TEXT_OUTSIDE_RECORDS),
        ("DATE: 2015.07.05\n", "DEPRECATED: 2019-11-25 wrong structure\n", reasons.DEPRECATED_RECORD),
        ("PK$NUM_PEAK", "ACCESSION: B\nPK$NUM_PEAK", reasons.RECORD_NOT_ENDED),
    ],
)
def test_rejections(read, old, new, reason):
    rejection, *others = read(changed(old, new) + MASSBANK)
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.record, rejection.line) == (reason, 1, 1)
    assert rejection.id == "MSBNK-Athens_Univ-AU100601"
    assert others[-1].n_peaks == 4


def test_a_record_without_end(read):
    whole, rejection = read(MASSBANK + MASSBANK.removesuffix("//\n"))
    assert whole.n_peaks == 4
    assert (rejection.reason, rejection.record) == (reasons.RECORD_NOT_ENDED, 2)
    assert rejection.line == 1 + MASSBANK.count("\n")


def test_the_structure_of_a_peptide_is_not_in_its_name(read_one):
    spectrum = read_one(changed("CH$SMILES: c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl", "CH$SMILES: N/A"))
    assert spectrum.metadata["smiles"] == "N/A"
