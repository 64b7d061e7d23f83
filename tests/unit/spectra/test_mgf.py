"""MGF: dialects, the fast and the careful way of reading, writing."""

import collections
import io

import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import mgf, mgf_lines, text
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import read_spectra

RECORD = """BEGIN IONS
TITLE=one
PEPMASS=381.0795 1000
CHARGE=1+
IONMODE=Positive
ADDUCT=M+Na
SMILES=CCO=C
COLLISION_ENERGY=30 eV
100.5 20
200.25	1.5e3
END IONS
"""


def test_a_record(read_one):
    spectrum = read_one(RECORD)
    assert spectrum.id == "one"
    assert spectrum.precursor_mz == 381.0795
    assert spectrum.charge == 1
    assert spectrum.polarity == 1
    assert spectrum.adduct == "[M+Na]+"
    assert (spectrum.record, spectrum.line) == (1, 1)
    assert spectrum.mz.tolist() == [100.5, 200.25]
    assert spectrum.mz.dtype == np.float64
    assert spectrum.intensity.tolist() == [20.0, 1500.0]
    assert spectrum.intensity.dtype == np.float32
    assert dict(spectrum.metadata) == {
        "precursor_intensity": "1000",
        "ionmode": "Positive",
        "smiles": "CCO=C",
        "collision_energy": "30 eV",
    }


def mgf_of(*lines, peaks="100 1"):
    return "\n".join(["BEGIN IONS", *lines, peaks, "END IONS", ""])


@pytest.mark.parametrize(
    ("lines", "charge", "polarity", "adduct"),
    [
        (["CHARGE=2+"], 2, 1, None),
        (["CHARGE=+2"], 2, 1, None),
        (["CHARGE=2"], 0, 0, None),
        (["CHARGE=2.0"], 0, 0, None),
        (["CHARGE=2.0", "IONMODE=positive"], 2, 1, None),
        (["CHARGE=-1-"], -1, -1, None),
        (["CHARGE=+2+"], 2, 1, None),
        (["CHARGE=(2+)"], 2, 1, None),
        (["CHARGE=++"], 2, 1, None),
        (["CHARGE=1-"], -1, -1, None),
        (["CHARGE=-1"], -1, -1, None),
        (["CHARGE=1", "IONMODE=negative"], -1, -1, None),
        (["IONMODE=Negative"], 0, -1, None),
        (["POLARITY=N"], 0, -1, None),
        (["IONMODE=positive-20eV"], 0, 1, None),
        (["IONMODE=N/A"], 0, 0, None),
        (["CHARGE=0"], 0, 0, None),
        (["CHARGE=0", "IONMODE=Positive"], 0, 1, None),
        (["CHARGE=1+ and 2+"], 0, 1, None),
        (["CHARGE=2-,3-"], 0, -1, None),
        (["CHARGE=1", "ADDUCT=[M-H]-"], -1, -1, "[M-H]-"),
        (["ADDUCT=[M+2H]2+"], 2, 1, "[M+2H]2+"),
        (["ION=[M+FA-H]-"], -1, -1, "[M+HCOO]-"),
        (["PRECURSORTYPE=[M+H]+"], 1, 1, "[M+H]+"),
        (["ADDUCT=unknown", "CHARGE=1+"], 1, 1, None),
        (["ADDUCT=[M+?]+"], 0, 1, None),
        (["ADDUCT=M", "CHARGE=1-"], -1, -1, "[M]-"),
        (["ADDUCT=[M]", "CHARGE=1", "IONMODE=positive"], 1, 1, "[M]+"),
        ([], 0, 0, None),
    ],
)
def test_charge_polarity_adduct(read_one, lines, charge, polarity, adduct):
    spectrum = read_one(mgf_of("PEPMASS=500.5", *lines))
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (charge, polarity, adduct)


@pytest.mark.parametrize(
    ("line", "precursor_mz", "metadata"),
    [
        ("PEPMASS=381.0795", 381.0795, {}),
        ("PEPMASS=381.0795 1000", 381.0795, {"precursor_intensity": "1000"}),
        ("PEPMASS=381.0795\t1000.5", 381.0795, {"precursor_intensity": "1000.5"}),
        ("PEPMASS=(381.0795, None)", 381.0795, {}),
        ("PEPMASS=3.810795e2", 381.0795, {}),
        ("PEPMASS = 381.0795 ", 381.0795, {}),
        ("pepmass=381.0795", 381.0795, {}),
        ("PRECURSOR_MZ=381.0795", 381.0795, {}),
        ("PRECURSORMZ=381.0795", 381.0795, {}),
        ("PEPMASS=0.0\nPRECURSOR_MZ=381.0795", 381.0795, {"pepmass": "0.0"}),
        ("PEPMASS=381.0795\nPRECURSOR_MZ=381.08", 381.0795, {"precursor_mz": "381.08"}),
    ],
)
def test_precursor(read_one, line, precursor_mz, metadata):
    spectrum = read_one(mgf_of(line))
    assert spectrum.precursor_mz == precursor_mz
    assert dict(spectrum.metadata) == metadata


@pytest.mark.parametrize(
    ("lines", "polarity", "charge"),
    [
        (["polarity=0"], -1, 0),
        (["polarity=1"], 1, 0),
        (["polarity=-1"], 0, 0),
        (["polarity=0", "CHARGE=1+"], -1, -1),
        (["CHARGE=2+", "polarity=0"], -1, -2),
        (["polarity=1", "CHARGE=1+"], 1, 1),
        (["polarity=-1", "CHARGE=1+"], 0, 0),
        (["polarity=-1", "CHARGE=1-"], -1, -1),
        (["IONMODE=negative", "POLARITY=0"], -1, 0),
        (["IONMODE=negative", "POLARITY=-1"], -1, 0),
        (["POLARITY=-1", "IONMODE=negative"], -1, 0),
        (["polarity=0", "ADDUCT=[M-H]-", "CHARGE=1+"], -1, -1),
        (["IONMODE=-1"], -1, 0),
        (["IONMODE=1"], 1, 0),
        (["IONMODE=ESI-"], -1, 0),
        (["IONMODE=ESI+"], 1, 0),
        (["IONMODE=ESI(-)"], -1, 0),
        (["IONMODE=LC-ESI-"], -1, 0),
        (["IONMODE=-ESI"], -1, 0),
        (["IONMODE=(+)-ESI"], 1, 0),
        (["IONMODE=ESI NEG"], -1, 0),
        (["IONMODE=negative ion mode"], -1, 0),
        (["IONMODE=LC-ESI"], 0, 0),
        (["IONMODE=N"], -1, 0),
        (["IONMODE=neg"], -1, 0),
        (["IONMODE=anion"], -1, 0),
        (["IONMODE=cationic"], 1, 0),
        (["IONMODE=-"], -1, 0),
        (["IONMODE=\u2212"], -1, 0),
        (["IONTYPE=positive"], 1, 0),
        (["ION_TYPE=Negative"], -1, 0),
        (["IONIZATION=ESI-"], -1, 0),
        (["IONIZATION=ESI"], 0, 0),
        (["ION_POLARITY=NEG"], -1, 0),
        (["IONTYPE=[M-H]-"], -1, -1),
    ],
)
def test_polarity_in_other_words(read_one, same_spectra, lines, polarity, charge):
    for careful in ([], ["; a comment"]):
        spectrum = read_one(mgf_of("PEPMASS=193.0506", *careful, *lines))
        assert (spectrum.polarity, spectrum.charge) == (polarity, charge)
        stream = io.StringIO()
        write_mgf([spectrum], stream)
        same_spectra([read_one(stream.getvalue())], [spectrum], ignore=("line", "id"))


@pytest.mark.parametrize("text", ["sideways", "0", "foo-", "pos/neg", "+-", "[M+H]+", "2", "QQ"])
def test_a_polarity_that_is_not_understood_is_rejected(read, text):
    for careful in ([], ["; a comment"]):
        (rejection,) = read(mgf_of("PEPMASS=193.0506", *careful, f"IONMODE={text}"))
        assert rejection.reason == "unknown polarity"
        assert text in rejection.detail


def test_a_charge_without_sign_says_nothing_of_polarity(read_one, same_spectra):
    spectrum = read_one(mgf_of("PEPMASS=193.0506", "CHARGE=2"))
    assert (spectrum.charge, spectrum.polarity, spectrum.charge_size) == (0, 0, 2)
    stream = io.StringIO()
    write_mgf([spectrum], stream)
    same_spectra([read_one(stream.getvalue())], [spectrum], ignore=("line", "id"))


@pytest.mark.parametrize(
    ("lines", "charge"),
    [
        (["PEPMASS=195.0877 1000 1+", "CHARGE=2+"], 1),
        (["CHARGE=2+", "PEPMASS=195.0877 1000 1+"], 1),
        (["PEPMASS=195.0877 1000 2-", "CHARGE=1-"], -2),
        (["PEPMASS=195.0877 1000 1", "CHARGE=1-"], -1),
        (["PEPMASS=195.0877 1000 2", "CHARGE=1-"], -2),
        (["PEPMASS=195.0877 1000 0", "CHARGE=1-"], -1),
        (["PEPMASS=195.0877 1000 12.5", "CHARGE=1+"], 1),
        (["PEPMASS=195.0877 1000 2+", "CHARGE=2+ and 3+"], 2),
    ],
)
def test_the_charge_of_pepmass_wins(read_one, lines, charge):
    assert read_one(mgf_of(*lines)).charge == charge
    assert read_one("CHARGE=3+\n" + mgf_of("PEPMASS=5 1 2+")).charge == 2


@pytest.mark.parametrize("key", ["INFO", "NANOSPRAY", "INF", "NAN", "Infinity", "INF ", "13C"])
@pytest.mark.parametrize("peaks", ["100 1", "100 1 1+", "# no\n100 1", "\n100 1"])
def test_keys_that_begin_like_a_number(read_one, key, peaks):
    spectrum = read_one(mgf_of("PEPMASS=5", f"{key}=direct", peaks=peaks))
    assert dict(spectrum.metadata) == {key.strip().lower(): "direct"}
    assert spectrum.mz.tolist() == [100]


@pytest.mark.parametrize("value", ["Centroid", "in-source"])
def test_a_spectrum_type_is_no_level(read_one, value):
    for lines in (["MSLEVEL=2", f"SPECTRUM_TYPE={value}"], [f"SPECTRUM_TYPE={value}", "MS_LEVEL=2"]):
        for careful in ([], ["; a comment"]):
            spectrum = read_one(mgf_of("PEPMASS=5", *careful, *lines))
            assert dict(spectrum.metadata) == {"mslevel": "2", "spectrum_type": value}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("MSLEVEL=3", "MS3 or deeper"),
        ("MSLEVEL=4.0", "MS3 or deeper"),
        ("SPECTRUM_TYPE=MS3", "MS3 or deeper"),
        ("MS_TYPE=MS10", "MS3 or deeper"),
        ("msLevel=1", "MS1"),
        ("SPECTRUMTYPE=MS1", "MS1"),
        ("MSTYPE=MS", "MS1"),
    ],
)
def test_other_levels_are_counted_as_skipped(read, line, reason):
    for careful in ([], ["; a comment"]):
        skipped = collections.Counter()
        assert read(mgf_of("PEPMASS=5", *careful, line), skipped=skipped) == []
        assert skipped == {reason: 1}


@pytest.mark.parametrize(
    "line", ["MSLEVEL=2", "SPECTRUM_TYPE=MS2", "MS_TYPE=MS/MS", "MSLEVEL=MSn", "SPECTRUM_TYPE=profile"]
)
def test_level_two_and_what_is_no_level_are_read(read_one, line):
    assert read_one(mgf_of("PEPMASS=5", line)).precursor_mz == 5


@pytest.mark.parametrize(
    "line",
    ["ADDUCTIONNAME=M+H", "Adductionname=[M+H]+", "ION=[M+H]+", "PRECURSORTYPE=[M+H]+", "precursor type=M+H"],
)
def test_adduct_fields_of_other_programs(read_one, line):
    assert read_one(mgf_of("PEPMASS=5", line)).adduct == "[M+H]+"
    assert read_one(mgf_of("PEPMASS=5", line, "ADDUCT=Unknown")).adduct == "[M+H]+"
    assert read_one(mgf_of("PEPMASS=5", "ADDUCT=n/a", line)).adduct == "[M+H]+"


def test_the_isolation_window_of_r(read_one):
    lines = ["isolationWindowLowerMz=194.59", "isolationWindowTargetMz=195.0877", "isolationWindowUpperMz=195.59"]
    spectrum = read_one(mgf_of("PEPMASS=194.1176", *lines))
    assert (spectrum.precursor_mz, spectrum.metadata["selected_ion_mz"]) == (195.0877, "194.1176")
    assert read_one(mgf_of("PEPMASS=195.2", *lines)).precursor_mz == 195.2


def test_third_number_of_pepmass_is_the_charge(read_one):
    assert read_one(mgf_of("PEPMASS=381.0795 1000 2+")).charge == 2


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["TITLE=a  b\tc"], "a b c"),
        (["SPECTRUMID=CCMSLIB00000001547", "NAME=x"], "CCMSLIB00000001547"),
        (["TITLE=", "FEATURE_ID=17", "NAME=x"], "17"),
        (["NAME=glucose"], "glucose"),
        (["SCANS=5"], "record=1"),
        ([], "record=1"),
    ],
)
def test_id(read_one, lines, name):
    assert read_one(mgf_of("PEPMASS=100", *lines)).id == name


def test_equal_and_missing_titles_are_all_kept(read):
    records = read(mgf_of("TITLE=a", "PEPMASS=1") * 2 + mgf_of("PEPMASS=1") * 2)
    assert [spectrum.id for spectrum in records] == ["a", "a", "record=3", "record=4"]
    assert [spectrum.line for spectrum in records] == [1, 6, 11, 15]


def test_peaks_are_sorted_zero_intensities_dropped_equal_mz_kept(read_one):
    spectrum = read_one(mgf_of("PEPMASS=1", peaks="300 3\n100 1\n200 0\n100 4\n0 0"))
    assert spectrum.mz.tolist() == [100, 100, 300]
    assert spectrum.intensity.tolist() == [1, 4, 3]


@pytest.mark.parametrize("blank", ["\u0085", "\u00a0", "\u2003"])
def test_a_line_of_other_white_space_is_blank(read, blank):
    content = f"BEGIN IONS\nPEPMASS=100\n50 1\n{blank}\n60 2\nEND IONS\n"
    (spectrum,) = read(content.encode())
    assert spectrum.mz.tolist() == [50, 60]


def test_columns_comments_and_blank_lines(read_one):
    peaks = '# comment\n100 1 1+\n\n  200\t2\t"C6H5+ a=b"\n;x\n!y\n/z\n300 3 0.5\n.5e3 4 '
    spectrum = read_one("#head\n\n" + mgf_of("PEPMASS=1", "; no", peaks=peaks))
    assert spectrum.mz.tolist() == [100, 200, 300, 500]
    assert spectrum.line == 3


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark(read, end, mark, same_spectra):
    content = mark + (RECORD * 2).replace("\n", end).encode()
    same_spectra(read(content), read(RECORD * 2))


def test_without_a_newline_at_the_end(read, same_spectra):
    same_spectra(read(RECORD.rstrip()), read(RECORD))


def test_edges_in_any_case_and_indented(read, same_spectra):
    other = RECORD.replace("BEGIN IONS", "  begin ions ").replace("END IONS", "\tEnd Ions")
    same_spectra(read(other * 3), read(RECORD * 3))


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Kämpferöl".encode(), "Kämpferöl"),
        ("Kämpferöl".encode("latin-1"), "Kämpferöl"),
        ("β-carotene \u2028 x".encode(), "β-carotene \u2028 x"),
        ("5’-AMP".encode("cp1252"), "5’-AMP"),
        (b"a\x1b[31mb", "a [31mb"),
        ("a\u0085b".encode(), "a b"),
    ],
)
def test_names_in_other_codes_and_control_characters(read_one, raw, name):
    spectrum = read_one(mgf_of("PEPMASS=1", "NAME=@").encode().replace(b"@", raw))
    assert spectrum.metadata["name"] == name


def test_lines_before_the_first_record_are_defaults(read):
    first, second = read(
        "COM=run 5\nCHARGE=2+\nTITLE=no\n" + mgf_of("PEPMASS=1", "COM=own") + mgf_of("PEPMASS=2", "CHARGE=3+")
    )
    assert (first.charge, second.charge) == (2, 3)
    assert (first.metadata["com"], second.metadata["com"]) == ("own", "run 5")
    assert (first.id, first.line) == ("record=1", 4)


def test_repeated_and_differently_spelled_fields(read_one):
    lines = ["PEPMASS=1", "SYNON=a", "SYNON=b", "NAME=x", "COMPOUND_NAME=y", "Instrument Type=q", "X=", "CHARGE=1+"]
    spectrum = read_one(mgf_of(*lines, "CHARGE=1+"))
    assert dict(spectrum.metadata) == {"synon": "a; b", "name": "x", "compound_name": "y", "instrument_type": "q"}


def test_ms1_records_are_counted_as_skipped(read):
    skipped = collections.Counter()
    records = read(mgf_of("PEPMASS=1", "MSLEVEL=1") + mgf_of("PEPMASS=1", "MSLEVEL=2"), skipped=skipped)
    assert [spectrum.record for spectrum in records] == [2]
    assert skipped == {"MS1": 1}


def test_lines_and_records_are_numbered_through_damage(read):
    content = mgf_of("TITLE=a", "PEPMASS=1") + "what\nis this\n" + mgf_of("TITLE=b", "PEPMASS=x") + mgf_of("PEPMASS=3")
    records = read(content)
    assert [(r.record, r.line) for r in records] == [(1, 1), (0, 6), (2, 8), (3, 13)]
    assert [getattr(r, "reason", None) for r in records] == [
        None,
        "text outside records",
        "precursor not a number",
        None,
    ]


def test_numbers_are_read_to_the_last_bit(read_one):
    numbers = ["100.123456789012345678901", "100.1", "333.3333333333333", "1e2", "100.00000000000001", "99999999999.5"]
    for number in numbers:
        spectrum = read_one(mgf_of("PEPMASS=1", peaks=f"{number} {number}"))
        assert spectrum.mz[0] == float(number)
        assert spectrum.intensity[0] == np.float32(float(number))


def test_small_blocks_give_the_same(read, monkeypatch, same_spectra):
    content = "CHARGE=1+\r\n" + (RECORD + "junk\n" + mgf_of("PEPMASS=x", peaks="1 2 3")).replace("\n", "\r\n") * 5
    whole = read(content)
    for size in (1, 7, 64):
        monkeypatch.setattr(text, "BLOCK", size)
        same_spectra(read(content), whole)


def test_a_record_too_long_is_rejected_and_reading_goes_on(read, monkeypatch):
    monkeypatch.setattr(text, "BLOCK", 64)
    content = mgf_of("TITLE=long", "PEPMASS=1", peaks="100 1\n" * 300) + mgf_of("TITLE=next", "PEPMASS=1")
    first, last = read(content, max_record_size=1000)
    assert (first.reason, first.id) == ("record too long", "long")
    assert (last.id, last.record, last.line) == ("next", 2, 306)


def test_a_line_without_end_is_an_error(read, monkeypatch):
    monkeypatch.setattr(text, "BLOCK", 64)
    monkeypatch.setattr(text, "MAX_LINE", 1000)
    with pytest.raises(DataError, match="a line of more than"):
        read("BEGIN IONS\n" + "x" * 2000)


def test_reading_is_lazy():
    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            data = (RECORD * 100).encode()[: len(buffer)]
            data = data[: data.rfind(b"BEGIN")]
            buffer[: len(data)] = data
            return len(data)

    spectra = read_spectra(io.BufferedReader(Endless(), 1 << 16))
    assert next(spectra).record == 1
    assert next(spectra).record == 2


def test_writing_gives_back_what_was_read(read, same_spectra):
    content = (
        RECORD
        + mgf_of("PEPMASS=500.123456789", "CHARGE=1+ and 2+", "NAME=β x=y", "13C=no", peaks="100.1 0.1\n200 1e-30")
        + mgf_of("PEPMASS=1e-3", "ADDUCT=[2M+Na]+", "SPECTRUMID=q")
        + mgf_of("PEPMASS=7", "IONMODE=negative", "PRECURSOR_MZ=7.1", "MSLEVEL=2")
        + mgf_of("PEPMASS=7", "CHARGE=-3")
    )
    spectra = read(content)
    assert not any(isinstance(spectrum, Rejection) for spectrum in spectra)
    stream = io.StringIO()
    write_mgf(spectra, stream)
    same_spectra(read(stream.getvalue()), spectra, ignore=("line",))


def test_polarity_alone_is_written(read_one, same_spectra):
    stream = io.StringIO()
    spectra = [read_one(mgf_of("PEPMASS=7", "ADDUCT=[M+?]-"))]
    write_mgf(spectra, stream)
    again = read_one(stream.getvalue())
    assert (again.polarity, again.charge, again.adduct) == (-1, 0, None)


def test_the_careful_way_gives_what_the_fast_way_gives(read, same_spectra, monkeypatch):
    content = (
        RECORD + mgf_of("TITLE=b", "PEPMASS=5", peaks="7 1\n5 2") + "BEGIN IONS\nPEPMASS=\nEND IONS\n" + RECORD
    ) * 3
    fast = read(content)
    calls = []
    careful = mgf_lines.LineParser.parse
    monkeypatch.setattr(mgf_lines.LineParser, "parse", lambda *a, **k: calls.append(1) or careful(*a, **k))
    assert len(read(content)) == 12
    assert not calls, "plain records must not need the careful way"
    monkeypatch.setattr(mgf, "_header", lambda record, reading: None)
    same_spectra(read(content), fast)
