"""Every way in which a record can be broken ends in one rejection with its reason, and the next record is read."""

import types

import pytest

from specbridge_tools.records import Tally
from specbridge_tools.spectra import reasons

GOOD_MGF = "BEGIN IONS\nTITLE=good\nPEPMASS=100\n50 1\nEND IONS\n"
GOOD_MSP = "Name: good\nPrecursorMZ: 100\nNum Peaks: 1\n50 1\n\n"


def mgf(*lines, peaks=("50 1", "60 2"), end="END IONS"):
    return "\n".join(["BEGIN IONS", "TITLE=bad", *lines, *peaks, end, ""])


def msp(*lines, n=2, peaks=("50 1", "60 2")):
    return "\n".join(["Name: bad", *lines, f"Num Peaks: {n}", *peaks, "", ""])


P = "PEPMASS=100"
MGF_CASES = {
    "no precursor": (mgf(), reasons.NO_PRECURSOR),
    "empty precursor": (mgf("PEPMASS="), reasons.NO_PRECURSOR),
    "precursor n/a": (mgf("PEPMASS=N/A"), reasons.NO_PRECURSOR),
    "precursor zero": (mgf("PEPMASS=0.0"), reasons.PRECURSOR_NOT_POSITIVE),
    "precursor negative": (mgf("PEPMASS=-100"), reasons.PRECURSOR_NOT_POSITIVE),
    "precursor NaN": (mgf("PEPMASS=+nan"), reasons.PRECURSOR_NOT_A_NUMBER),
    "precursor infinite": (mgf("PEPMASS=inf"), reasons.PRECURSOR_NOT_A_NUMBER),
    "precursor overflows": (mgf("PEPMASS=1e999"), reasons.PRECURSOR_NOT_A_NUMBER),
    "precursor a word": (mgf("PEPMASS=heavy"), reasons.PRECURSOR_NOT_A_NUMBER),
    "precursor with a decimal comma": (mgf("PEPMASS=381,0795"), reasons.PRECURSOR_NOT_A_NUMBER),
    "precursor with underscores": (mgf("PEPMASS=1_00"), reasons.PRECURSOR_NOT_A_NUMBER),
    "two precursors": (mgf(P, "PEPMASS=200"), reasons.CONTRADICTORY_FIELDS),
    "two charges": (mgf(P, "CHARGE=1+", "CHARGE=2+"), reasons.CONTRADICTORY_FIELDS),
    "polarity in unknown words": (mgf(P, "IONMODE=sideways"), reasons.UNKNOWN_POLARITY),
    "polarities of both kinds": (mgf(P, "IONMODE=positive/negative"), reasons.UNKNOWN_POLARITY),
    "wide isolation": (mgf(P, "isolationWindowLowerMz=90", "isolationWindowUpperMz=115"), reasons.WIDE_ISOLATION),
    "isotope peak": (mgf(P, "ISOTOPE=M + 1"), reasons.ISOTOPE_PEAK),
    "isotopic adduct": (mgf(P, "ADDUCT=[M+13C+H]+"), reasons.UNKNOWN_ADDUCT),
    "charge a word": (mgf(P, "CHARGE=one"), reasons.CHARGE_NOT_A_NUMBER),
    "charge with two signs": (mgf(P, "CHARGE=+2-"), reasons.CHARGE_NOT_A_NUMBER),
    "charges of both signs": (mgf(P, "CHARGE=1+ and 1-"), reasons.CHARGE_NOT_A_NUMBER),
    "charge a fraction": (mgf(P, "CHARGE=1.5"), reasons.CHARGE_NOT_A_NUMBER),
    "charge too long": (mgf(P, "CHARGE=" + "1" * 5000), reasons.CHARGE_NOT_A_NUMBER),
    "unknown adduct": (mgf(P, "ADDUCT=[M+Xx]+"), reasons.UNKNOWN_ADDUCT),
    "adduct of unknown charge": (mgf(P, "ADDUCT=M"), reasons.UNKNOWN_ADDUCT),
    "two adducts": (mgf(P, "ADDUCT=[M+H]+,[M+Na]+"), reasons.UNKNOWN_ADDUCT),
    "adduct against polarity": (mgf(P, "ADDUCT=[M+H]+", "IONMODE=negative"), reasons.CONTRADICTORY_CHARGE),
    "adduct against charge sign": (mgf(P, "ADDUCT=[M-H]-", "CHARGE=1+"), reasons.CONTRADICTORY_CHARGE),
    "adduct against charge": (mgf(P, "ADDUCT=[M+H]+", "CHARGE=2+"), reasons.CONTRADICTORY_CHARGE),
    "charge against polarity": (mgf(P, "CHARGE=1-", "IONMODE=positive"), reasons.CONTRADICTORY_CHARGE),
    "no peaks": (mgf(P, peaks=()), reasons.NO_PEAKS),
    "only peaks of intensity zero": (mgf(P, peaks=("50 0", "60 0.0")), reasons.NO_PEAKS),
    "only peaks too small for float32": (mgf(P, peaks=("50 1e-99",)), reasons.NO_PEAKS),
    "peak a word": (mgf(P, peaks=("50 1", "sixty 2")), reasons.PEAK_NOT_A_NUMBER),
    "intensity a word": (mgf(P, peaks=("50 1", "60 two")), reasons.PEAK_NOT_A_NUMBER),
    "intensity missing": (mgf(P, peaks=("50 1", "60")), reasons.UNEQUAL_ARRAYS),
    "two peaks on a line": (mgf(P, peaks=("50 1 60 2",)), reasons.UNEQUAL_ARRAYS),
    "peak NaN": (mgf(P, peaks=("50 nan",)), reasons.PEAK_NOT_A_NUMBER),
    "peak infinite": (mgf(P, peaks=("inf 1",)), reasons.PEAK_NOT_A_NUMBER),
    "peak overflows": (mgf(P, peaks=("50 1e999",)), reasons.PEAK_NOT_A_NUMBER),
    "intensity beyond float32": (mgf(P, peaks=("50 1e39",)), reasons.PEAK_NOT_A_NUMBER),
    "peak with a decimal comma": (mgf(P, peaks=("50,5 1",)), reasons.PEAK_NOT_A_NUMBER),
    "two points in a number": (mgf(P, peaks=("50.1.2 1",)), reasons.PEAK_NOT_A_NUMBER),
    "m/z negative": (mgf(P, peaks=("-50 1",)), reasons.MZ_NOT_POSITIVE),
    "m/z zero": (mgf(P, peaks=("0 1",)), reasons.MZ_NOT_POSITIVE),
    "intensity negative": (mgf(P, peaks=("50 -1",)), reasons.NEGATIVE_INTENSITY),
    "no end, at the next begin": (mgf(P, end=""), reasons.RECORD_NOT_ENDED),
    "NUL in a name": (mgf(P, "NAME=a\0b"), reasons.NUL_BYTES),
    "NUL in a peak": (mgf(P, peaks=("50 1\0",)), reasons.NUL_BYTES),
    "a line that is nothing": (mgf(P, "what is this"), reasons.PEAK_NOT_A_NUMBER),
}
Q = "PrecursorMZ: 100"
MSP_CASES = {
    "no precursor": (msp(), reasons.NO_PRECURSOR),
    "precursor zero": (msp("PrecursorMZ: 0"), reasons.PRECURSOR_NOT_POSITIVE),
    "precursor a word": (msp("PrecursorMZ: x"), reasons.PRECURSOR_NOT_A_NUMBER),
    "two precursors": (msp(Q, "PRECURSORMZ: 101"), reasons.CONTRADICTORY_FIELDS),
    "two precursors, spelled differently": (msp(Q, "Precursor m/z: 101"), reasons.CONTRADICTORY_FIELDS),
    "two modes": (msp(Q, "Ion_mode: P", "IONMODE: negative"), reasons.CONTRADICTORY_FIELDS),
    "two adducts": (msp(Q, "Precursor_type: M+H", "Adduct: [M+Na]+"), reasons.CONTRADICTORY_FIELDS),
    "unknown adduct": (msp(Q, "Precursor_type: [M+Q]+"), reasons.UNKNOWN_ADDUCT),
    "adduct against mode": (msp(Q, "Precursor_type: [M+H]+", "Ion_mode: N"), reasons.CONTRADICTORY_CHARGE),
    "charge a word": (msp(Q, "Charge: x"), reasons.CHARGE_NOT_A_NUMBER),
    "no peaks promised": (msp(Q, n=0, peaks=()), reasons.NO_PEAKS),
    "fewer peaks than promised": (msp(Q, n=3), reasons.PEAK_COUNT_DIFFERS),
    "more peaks than promised": (msp(Q, n=1), reasons.PEAK_COUNT_DIFFERS),
    "count a word": (msp(Q, n="two"), reasons.PEAK_COUNT_DIFFERS),
    "count negative": (msp(Q, n=-2), reasons.PEAK_COUNT_DIFFERS),
    "count missing": (msp(Q).replace("Num Peaks: 2\n", ""), reasons.PEAK_COUNT_DIFFERS),
    "peak a word": (msp(Q, peaks=("50 1", "x 2")), reasons.PEAK_NOT_A_NUMBER),
    "intensity a word": (msp(Q, peaks=("50 1", "60 x")), reasons.PEAK_NOT_A_NUMBER),
    "intensity missing": (msp(Q, peaks=("50 1", "60")), reasons.UNEQUAL_ARRAYS),
    "peaks with decimal commas": (msp(Q, peaks=("50,5 1,0", "60,1 2,0")), reasons.PEAK_COUNT_DIFFERS),
    "m/z with decimal commas": (msp(Q, peaks=("50,5 1", "60,1 2")), reasons.UNEQUAL_ARRAYS),
    "intensity negative": (msp(Q, peaks=("50 1", "60 -2")), reasons.NEGATIVE_INTENSITY),
    "peak NaN": (msp(Q, peaks=("50 1", "60 nan")), reasons.PEAK_NOT_A_NUMBER),
    "m/z zero": (msp(Q, peaks=("50 1", "0 2")), reasons.MZ_NOT_POSITIVE),
    "NUL in a name": (msp(Q, "Synon: a\0"), reasons.NUL_BYTES),
    "NUL in a peak": (msp(Q, peaks=("50 1", "60 2\0")), reasons.NUL_BYTES),
    "ended by the next name": ("Name: bad\nPrecursorMZ: 1\n", reasons.NO_PEAKS),
}


def mzml_cases(make):
    two = [50.0, 60.0]
    mz, intensity = make.array(two, "m/z"), make.array([1.0, 2.0], "intensity")
    ion = make.parameter("MS:1000744", "100")
    window = f"<selectedIonList><selectedIon>{ion}</selectedIon></selectedIonList>"
    numpress = mz.replace("MS:1000574", "MS:1002312")
    return {
        "no precursor": ({"precursors": ""}, reasons.NO_PRECURSOR),
        "precursor without m/z": ({"ion": make.parameter("MS:1000041", "1")}, reasons.NO_PRECURSOR),
        "precursor zero": ({"ion": make.parameter("MS:1000744", "0")}, reasons.PRECURSOR_NOT_POSITIVE),
        "precursor a word": ({"ion": make.parameter("MS:1000744", "x")}, reasons.PRECURSOR_NOT_A_NUMBER),
        "charge a word": ({"ion": ion + make.parameter("MS:1000041", "x")}, reasons.CHARGE_NOT_A_NUMBER),
        "charge against polarity": ({"ion": ion + make.parameter("MS:1000041", "-1")}, reasons.CONTRADICTORY_CHARGE),
        "two precursors": ({"precursors": f"<precursor>{window}</precursor>" * 2}, reasons.SEVERAL_PRECURSORS),
        "two ions": ({"ion": f"{ion}</selectedIon><selectedIon>{ion}"}, reasons.SEVERAL_PRECURSORS),
        "no arrays": ({"arrays": ""}, reasons.NO_PEAKS),
        "no peaks": ({"mz": [], "intensity": []}, reasons.NO_PEAKS),
        "no intensities": ({"arrays": mz, "mz": two}, reasons.UNEQUAL_ARRAYS),
        "no m/z": ({"arrays": intensity, "mz": two}, reasons.UNEQUAL_ARRAYS),
        "two m/z arrays": ({"arrays": mz + mz + intensity, "mz": two}, reasons.UNEQUAL_ARRAYS),
        "not base64": ({"arrays": make.array(two, "m/z", data="@@@") + intensity}, reasons.ARRAY_NOT_DECODED),
        "not zlib": ({"arrays": make.array(two, "m/z", data="AAAA") + intensity}, reasons.ARRAY_NOT_DECODED),
        "unknown compression": ({"arrays": numpress + intensity}, reasons.ARRAY_NOT_DECODED),
        "unknown number type": ({"arrays": mz.replace("MS:1000523", "x") + intensity}, reasons.ARRAY_NOT_DECODED),
        "shorter than promised": ({"mz": two, "length": 3}, reasons.PEAK_COUNT_DIFFERS),
        "longer than promised": ({"mz": two, "length": 1}, reasons.PEAK_COUNT_DIFFERS),
        "length a word": ({"mz": two, "length": "x"}, reasons.PEAK_COUNT_DIFFERS),
        "length negative": ({"mz": two, "length": "-1"}, reasons.PEAK_COUNT_DIFFERS),
        "half a number": (
            {"arrays": make.array(two, "m/z", dtype="<f4") + intensity, "length": 1},
            reasons.PEAK_COUNT_DIFFERS,
        ),
        "peak NaN": ({"mz": [50.0, float("nan")], "intensity": two}, reasons.PEAK_NOT_A_NUMBER),
        "intensity infinite": ({"mz": two, "intensity": [1.0, float("inf")]}, reasons.PEAK_NOT_A_NUMBER),
        "intensity negative": ({"mz": two, "intensity": [1.0, -1.0]}, reasons.NEGATIVE_INTENSITY),
        "m/z negative": ({"mz": [-1.0, 50.0], "intensity": two}, reasons.MZ_NOT_POSITIVE),
        "profile": ({"extra": make.parameter("MS:1000128")}, reasons.PROFILE_SPECTRUM),
    }


MZML_CASES = list(mzml_cases(types.SimpleNamespace(array=lambda *a, **k: "", parameter=lambda *a: "")))


def check(records, reason):
    """One rejection between two good spectra."""
    assert [record.record for record in records] == [1, 2, 3]
    first, bad, last = records
    assert bad.reason == reason
    assert bad.reason in reasons.ALL
    assert bad.source == "<stream>"
    assert first.mz.tolist() == last.mz.tolist()
    return bad


@pytest.mark.parametrize("name", MGF_CASES)
def test_mgf(read, name):
    content, reason = MGF_CASES[name]
    bad = check(read(GOOD_MGF + content + GOOD_MGF), reason)
    assert (bad.id, bad.line) == ("bad", 6)


@pytest.mark.parametrize("name", MSP_CASES)
def test_msp(read, name):
    content, reason = MSP_CASES[name]
    bad = check(read(GOOD_MSP + content + GOOD_MSP), reason)
    assert (bad.id, bad.line) == ("bad", 6)


@pytest.mark.parametrize("name", MZML_CASES)
def test_mzml(read, make, name):
    settings, reason = mzml_cases(make)[name]
    bad = check(read(make.file(make.spectrum(), make.spectrum(id="bad", **settings), make.spectrum())), reason)
    assert bad.id == "bad"
    assert bad.line > 3


@pytest.mark.parametrize(
    "content",
    [
        "junk\n",
        "a=b\n",
        "50 1\n60 2\n",
        "END IONS\n",
        "PEPMASS=5\n50 1\nEND IONS\n",
        "\0\n",
        "junk\n# comment\n\njunk\n",
    ],
)
def test_text_outside_of_mgf_records_is_one_rejection(read, content):
    first, bad, last = read(GOOD_MGF + content + GOOD_MGF)
    assert (bad.reason, bad.record, bad.line, bad.id) == (reasons.TEXT_OUTSIDE_RECORDS, 0, 6, "line=6")
    assert (first.record, last.record) == (1, 2)


def test_text_outside_of_msp_records_is_one_rejection(read):
    _, bad, last = read(GOOD_MSP + "junk\n50 1\n" + GOOD_MSP)
    assert (bad.reason, bad.record, bad.line) == (reasons.TEXT_OUTSIDE_RECORDS, 0, 6)
    assert last.record == 2


@pytest.mark.parametrize("end", ["50 1", "PEPMASS=1\n50 1\nEND", "50 1\nEND ION"])
def test_no_end_at_the_end_of_the_file(read, end):
    _, bad = read(GOOD_MGF + "BEGIN IONS\nTITLE=bad\n" + end)
    assert (bad.reason, bad.id, bad.record, bad.line) == (reasons.RECORD_NOT_ENDED, "bad", 2, 6)


def test_the_detail_names_the_line(read):
    _, bad, _ = read(GOOD_MGF + mgf(P, peaks=("50 1", "60 two")) + GOOD_MGF)
    assert bad.detail == "line 10: 'two'"


def test_the_tally_counts_all(read):
    records = read(GOOD_MGF + "".join(content for content, _ in MGF_CASES.values()))
    tally = Tally(noun="spectra")
    assert len(list(tally.usable(records))) == 1
    assert tally.n_read == 1 + len(MGF_CASES)
    assert sum(tally.reasons.values()) == len(MGF_CASES)


def test_there_are_enough_cases_and_each_reason_has_one():
    cases = [*MGF_CASES.values(), *MSP_CASES.values()]
    assert len(cases) + len(MZML_CASES) >= 90
    limits = {reasons.RECORD_TOO_LONG, reasons.TOO_MANY_PEAKS, reasons.TOO_MANY_FIELDS}
    elsewhere = {*limits, reasons.TEXT_OUTSIDE_RECORDS, reasons.NO_MS2_PRECURSOR}
    of_mzml = {reasons.SEVERAL_PRECURSORS, reasons.ARRAY_NOT_DECODED, reasons.PROFILE_SPECTRUM}
    of_libraries = {reasons.NOT_A_RECORD, reasons.DECOY_SPECTRUM, reasons.DEPRECATED_RECORD}
    assert {reason for _, reason in cases} == set(reasons.ALL) - elsewhere - of_mzml - of_libraries - {
        "MS1",
        "MS3 or deeper",
        "not a mass spectrum",
    }
