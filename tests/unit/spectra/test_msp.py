"""MSP as NIST, MassBank, MoNA, RIKEN and MS-DIAL write it."""

import collections

import pytest

from specbridge_tools.spectra import text

NIST = """Name: Caffeine
Synon: $:00in-source
Synon: Guaranine
Precursor_type: [M+H]+
Spectrum_type: MS2
PrecursorMZ: 195.0877
Instrument_type: HCD
Collision_energy: NCE=35% 20eV
Formula: C8H10N4O2
MW: 194
CAS#: 58-08-2;  NIST#: 1234
DB#: 7
Comments: "InChI=InChI=1S/C8H10N4O2" "SMILES=CN1C=NC2=C1" "ionization mode=positive" "precursor m/z=5"
Num Peaks: 4
42.0338 7.8 "C2H4N=p/1.2ppm"; 69.0447\t29.0
110.0713\t290.1\t"? 3/5"
138.0662 999.0 C6H8N3O

"""
MASSBANK = """NAME: Sorbitol
PRECURSORMZ: 181.0718
PRECURSORTYPE: [M-H]-
FORMULA: C6H14O6
Ontology: Sugar alcohols
INCHIKEY: FBPFZTCFMRRESA-JGWLITMVSA-N
SMILES: OCC(O)C(O)C(O)C(O)CO
RETENTIONTIME: 1.5
IONMODE: Negative
INSTRUMENTTYPE: LC-ESI-QTOF
COLLISIONENERGY: 20
Comment: DB#=MSBNK-X-1; origin=MassBank
Num Peaks: 2
59.0139	100
101.0244	50
"""


def test_nist_record(read_one):
    spectrum = read_one(NIST)
    assert spectrum.id == "7"
    assert spectrum.precursor_mz == 195.0877
    assert (spectrum.adduct, spectrum.charge, spectrum.polarity) == ("[M+H]+", 1, 1)
    assert spectrum.mz.tolist() == [42.0338, 69.0447, 110.0713, 138.0662]
    assert spectrum.intensity.tolist() == pytest.approx([7.8, 29.0, 290.1, 999.0])
    assert (spectrum.record, spectrum.line) == (1, 1)
    metadata = spectrum.metadata
    assert metadata["name"] == "Caffeine"
    assert metadata["synon"] == "$:00in-source; Guaranine"
    assert metadata["mslevel"] == "MS2"
    assert metadata["collision_energy"] == "NCE=35% 20eV"
    assert metadata["inchi"] == "InChI=1S/C8H10N4O2"
    assert metadata["smiles"] == "CN1C=NC2=C1"
    assert metadata["ionmode"] == "positive"


def test_a_pair_of_the_comments_counts_where_there_is_no_field(read_one):
    assert read_one(NIST.replace("PrecursorMZ: 195.0877\n", "").replace("_type: [M+H]+", ": x")).precursor_mz == 5


def test_massbank_record(read_one):
    spectrum = read_one(MASSBANK)
    assert spectrum.id == "MSBNK-X-1"
    assert (spectrum.adduct, spectrum.polarity) == ("[M-H]-", -1)
    assert spectrum.mz.tolist() == [59.0139, 101.0244]
    assert spectrum.metadata["instrument_type"] == "LC-ESI-QTOF"
    assert spectrum.metadata["collision_energy"] == "20"
    assert spectrum.metadata["retentiontime"] == "1.5"
    assert spectrum.metadata["inchikey"].startswith("FBPF")


def record(*peaks, n=2, header="PrecursorMZ: 100"):
    return "\n".join([f"Name: x\n{header}\nNum Peaks: {n}", *peaks, "", ""])


@pytest.mark.parametrize(
    "peaks",
    [
        ["50 1", "60 2"],
        ["50 1;60 2;"],
        ["50 1; 60 2"],
        ["50\t1\t60\t2"],
        ["50 1 60 2"],
        ["50,1 60,2"],
        ["(50,1) (60,2)"],
        ['50 1 "a; b"', '60 2 "c 5"'],
        ['50 1 "not closed', "60 2"],
        ["50 1 C4H2", "60 2 C5 0.1ppm"],
        ["50 1 1", "60 2 0.5"],
        ["", "50 1", "60 2"],
        ["  50 1  ", "\t60\t2"],
        ["5e1 1", "6E+1 2.0"],
        ["60 2", "50 1"],
    ],
)
def test_ways_to_write_two_peaks(read, peaks):
    spectrum = read(record(*peaks))[0]
    assert spectrum.mz.tolist() == [50, 60], spectrum
    assert spectrum.intensity.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "sign"),
    [("P", 1), ("N", -1), ("positive", 1), ("NEGATIVE", -1), ("Pos", 1), ("+", 1), ("-", -1), ("N/A", 0), ("", 0)],
)
def test_ion_modes(read_one, text, sign):
    for key in ("Ion_mode", "IONMODE", "Ion mode"):
        assert read_one(record("50 1", "60 2", header=f"PrecursorMZ: 9\n{key}: {text}")).polarity == sign


@pytest.mark.parametrize(
    "header", ["PRECURSORMZ: 9.5", "Precursor m/z: 9.5", "PrecursorMZ:9.5", "Comment: Parent=9.5 a=b"]
)
def test_precursors(read_one, header):
    assert read_one(record("50 1", "60 2", header=header)).precursor_mz == 9.5


def test_records_end_at_blank_lines_names_and_keys(read):
    plain = "Name: a\nPrecursorMZ: 5\nNum Peaks: 1\n50 1\n"
    last = "DB#: q\nName: b\nPrecursorMZ: 5\n\nNum Peaks: 1\n\n50 1\n"
    spectra = read(plain + "\n\n" + plain + plain + "\n" + last)
    assert [spectrum.id for spectrum in spectra] == ["a", "a", "a", "q"]
    assert [spectrum.line for spectrum in spectra] == [1, 7, 11, 16]


A = "NAME: A\nPRECURSORMZ: 195.0877\nNum Peaks: {}"
B = "NAME: B\nPRECURSORMZ: 195.0652\nNum Peaks: 1\n145.0284\t100\n"


@pytest.mark.parametrize("gap", ["\n", "\n\n", "", " \t\n"])
@pytest.mark.parametrize("field", ["SMILES: CO", "DB#: 9\nSMILES: CO"])
def test_fields_behind_the_peaks_are_the_records_own(read, gap, field):
    first, second = read(A.format("1\n138.0662 100\n") + field + "\n" + gap + B)
    assert (first.metadata["smiles"], "smiles" in second.metadata, second.id) == ("CO", False, "B")
    none, second = read(A.format(0) + "\n" + field + "\n" + gap + B)
    assert (none.reason, none.record, "smiles" in second.metadata) == ("no peaks", 1, False)


def test_a_field_behind_the_peaks_that_contradicts_rejects_the_record(read):
    first, second = read(A.format("1\n138 100\nPRECURSORMZ: 5\n") + B)
    assert (first.reason, first.id, second.id) == ("contradictory fields", "A", "B")


def test_fields_between_records_are_text_outside_of_them(read):
    first, stray, second = read(A.format("1\n138 100\n\nSMILES: CO\nFORMULA: C\n\n") + B)
    assert (stray.reason, stray.line, stray.record, stray.detail) == ("text outside records", 6, 0, "SMILES: CO")
    assert not {"smiles", "formula"} & (first.metadata.keys() | second.metadata.keys())
    assert (first.record, second.record) == (1, 2)


def test_an_empty_line_ends_a_record_without_peaks(read):
    named, nameless = read("NAME: A\nSMILES: CO\n\nPRECURSORMZ: 5\nNum Peaks: 1\n50 1\n")
    assert (named.reason, named.id, nameless.id, dict(nameless.metadata)) == ("no precursor", "A", "record=2", {})
    first, second = read("SMILES: CO\nPRECURSORMZ: 5\n\n" + B)
    assert (first.reason, second.id, "smiles" in second.metadata) == ("text outside records", "B", False)


def test_records_without_names_and_empty_lines(read):
    first, second = read("PRECURSORMZ: 5\nNum Peaks: 1\n50 1\nPRECURSORMZ: 6\nNum Peaks: 1\n50 1\n")
    assert [(s.precursor_mz, s.line) for s in (first, second)] == [(5, 1), (6, 4)]


MAT = """NAME: Unknown
SCANNUMBER: 1104
PRECURSORMZ: 195.0877
PRECURSORTYPE: [M+H]+
IONMODE: Positive
SPECTRUMTYPE: Centroid
MSTYPE: MS1
Num Peaks: {}MSTYPE: MS2
Num Peaks: 3
110.0713	4000
138.0662	10000
195.0877	6000
"""


@pytest.mark.parametrize("isotopes", ["2\n195.0877\t100000\n196.0907\t8800\n", "0\n", "0\n\n", "1\n195 1\n\n"])
def test_the_isotope_pattern_of_ms_finder_is_no_query(read, isotopes):
    skipped = collections.Counter()
    content = MAT.format(isotopes)
    first, other = read(content + "\n" + content, skipped=skipped)
    assert first.mz.tolist() == other.mz.tolist() == [110.0713, 138.0662, 195.0877]
    assert (first.precursor_mz, first.adduct, first.polarity, first.id) == (195.0877, "[M+H]+", 1, "1104")
    assert (first.metadata["mslevel"], first.metadata["spectrumtype"]) == ("MS2", "Centroid")
    assert (first.record, other.record) == (2, 4)
    assert skipped == {"MS1": 2}


def test_ms2_before_ms1_in_a_file_of_ms_finder(read):
    skipped = collections.Counter()
    swapped = MAT.format("1\n195 1\n").replace("MS1", "MS0").replace("MS2", "MS1").replace("MS0", "MS2")
    (spectrum,) = read(swapped, skipped=skipped)
    assert (spectrum.mz.tolist(), skipped) == ([195], {"MS1": 1})


@pytest.mark.parametrize(
    "own", ['Inst="Q Exactive" Lab="A"', 'Inst="Q Exactive"', "Inst=QE", 'Lab="A b" Mods=0 c="d=e"']
)
@pytest.mark.parametrize("key", ["Parent", "PrecursorMZ", "Precursor_mz"])
def test_pairs_of_comments_with_quoted_values(read_one, own, key):
    spectrum = read_one(record("50 1", "60 2", header=f"Comment: Spec=Consensus {key}=195.0877 {own} Charge=1+"))
    assert (spectrum.precursor_mz, spectrum.charge) == (195.0877, 1)


def test_pairs_of_both_kinds(read_one):
    spectrum = read_one(
        record("50 1", "60 2", header='Comment: "ionization mode=negative" Parent=9 Lab="A" "smiles=C=O"')
    )
    assert (spectrum.precursor_mz, spectrum.polarity, spectrum.metadata["smiles"]) == (9, -1, "C=O")
    assert spectrum.metadata["lab"] == "A"


FEATURE = """NAME: Unknown
PRECURSORMZ: {}
PRECURSORTYPE: [M+H]+
COMMENT: |PEAKID={}|MS1SCAN=5|ISOTOPE=M+{}
Num Peaks: 1
138.0662	100

"""


def test_features_called_unknown_are_told_apart(read):
    content = FEATURE.format(195.0877, 17, 0) + FEATURE.format(300.1, 19, 0) + FEATURE.format(196.0911, 18, 1)
    first, second, isotope = read(content)
    assert (first.id, second.id, first.metadata["name"]) == ("17", "19", "Unknown")
    assert (isotope.id, isotope.reason, isotope.record) == ("18", "precursor an isotope peak", 3)


def test_unknown_is_a_name_where_there_is_no_other(read_one):
    assert read_one(record("50 1", "60 2").replace("Name: x", "Name: Unknown")).id == "Unknown"


@pytest.mark.parametrize("key", ["13C_label", "2nd name", "INFO", "NANOSPRAY", "1H-NMR"])
def test_keys_that_begin_like_a_number(read_one, key):
    assert "yes" in read_one(record("50 1", "60 2", header=f"PrecursorMZ: 9\n{key}: yes")).metadata.values()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_small_blocks(read, same_spectra, end, monkeypatch):
    whole = read(NIST + MASSBANK + "\n" + NIST)
    assert len(whole) == 3
    monkeypatch.setattr(text, "BLOCK", 5)
    same_spectra(read((NIST + MASSBANK + "\n" + NIST).replace("\n", end)), whole)


def test_ms1_records_are_counted_as_skipped(read):
    skipped = collections.Counter()
    assert [s.record for s in read(NIST.replace("MS2", "MS1") + MASSBANK, skipped=skipped)] == [2]
    assert skipped == {"MS1": 1}


def test_a_record_too_long_is_rejected(read):
    long, short = read(record(*["50 1"] * 50, n=50) + record("50 1", "60 2"), max_record_size=200)
    assert long.reason == "record too long"
    assert short.n_peaks == 2
