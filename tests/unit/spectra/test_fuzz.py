"""Whatever the bytes: records, rejections, or an error of ours; and no record that begins is lost."""

import collections
import io
import json
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from library_files import GNPS, MASSBANK, MONA, MZSPECLIB, SIRIUS

from specbridge_tools.errors import SpecbridgeError
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.mgf import mgf_text, write_mgf
from specbridge_tools.spectra.reader import FORMATS, read_spectra
from specbridge_tools.spectra.reading import Reading

MGF = (
    b"COM=x\nBEGIN IONS\nTITLE=a\nPEPMASS=100.5 7\nCHARGE=1+\nADDUCT=[M+H]+\n50.1 1e3\n60 2\nEND IONS\n\n"
    b"BEGIN IONS\nPEPMASS=5\nIONMODE=negative\n50 1\n60 2\n70.25 0.5\nEND IONS\nBEGIN IONS\nMSLEVEL=1\nPEPMASS=3\n"
    b"1 1\nEND IONS\n"
)
MSP = (
    b'Name: a\nPrecursorMZ: 100.5\nPrecursor_type: [M-H]-\nComment: "a=b" "SMILES=C"\nNum Peaks: 2\n50 1 "x"; 60 2\n\n'
    b"NAME: b\nPRECURSORMZ: 5\nNum Peaks: 3\n50\t1\n60\t2\n70\t3\n\nName: c\nNum Peaks: 1\n50 1\n"
)
JUNK = [b"", b"\n", b"BEGIN IONS\n", b"END IONS\n", b"=", b"\0", b"\r", b"nan", b"-", b"1e999 ", b'"', b";", b":", b"<"]
JUNK += [
    b"Name: q\n",
    b"Num Peaks: 2\n",
    b"\xff",
    b"\xc2\x85",
    b"CHARGE=2-\n",
    b"ADDUCT=M\n",
    b" 1 2 3",
    b"</spectrum>",
    b"//\n",
    b"PK$PEAK: \n",
    b"ACCESSION: b\n",
    b">compound b\n",
    b">ms2\n",
    b"<Spectrum=2>\n",
    b"<Peaks>\n",
    b"[",
    b"{",
    b"],",
    b'"peaks_json":',
    b"\\u0000",
    b"1" * 30,
]
LET_IN = b"""
BEGIN IONS
TITLE=two of three
PEPMASS=193.05
CHARGE=1-
IONMODE=positive
ADDUCT=[M-H]-
50 1
END IONS
BEGIN IONS
TITLE=deep
PEPMASS=138.07
MSLEVEL=3
MSN_PRECURSOR_MZS=[195.09,138.07]
50 1
END IONS
BEGIN IONS
TITLE=missing
ADDUCT=[M+H]+
SMILES=CCO
ISOLATIONWINDOWTARGETMZ=47
ISOLATIONWINDOWLOWERMZ=30
ISOLATIONWINDOWUPPERMZ=60
50 1
END IONS
"""
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(JUNK) | st.binary(max_size=6)), max_size=6
)
FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def changed(content, changes):
    """The content with spans replaced: (where, how many bytes, by what)."""
    for where, length, insert in changes:
        at = int(where * len(content))
        content = content[:at] + insert + content[at + length :]
    return content


def records_of(content, input_format="auto", **rules):
    """(records, skipped) that a file gives before its end or an error of ours; anything else fails the test."""
    records, skipped = [], collections.Counter()
    try:
        for record in read_spectra(io.BytesIO(content), reading=Reading(input_format, **rules), skipped=skipped):
            records.append(record)
    except SpecbridgeError:
        return None, skipped
    for record in records:
        if isinstance(record, Rejection):
            assert record.reason in reasons.ALL
            continue
        assert record.precursor_mz > 0
        assert record.n_peaks > 0
        assert (record.mz > 0).all()
        assert (record.mz[1:] >= record.mz[:-1]).all()
        assert (record.intensity > 0).all()
        assert record.charge * record.polarity >= 0
    return records, skipped


def lines(content):
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


@FUZZ
@given(st.binary(max_size=200), st.sampled_from(FORMATS))
def test_any_bytes(content, input_format):
    records_of(content, input_format)


@FUZZ
@given(CHANGES)
@example([(0.875, 10, b"")])  # MSLEVEL=3
def test_each_begin_ions_is_one_record(changes):
    content = changed(MGF, changes)
    records, skipped = records_of(content, "mgf")
    if records is None:
        return  # no text at all, e.g. gzip by its first bytes
    n_begun = sum(bool(re.fullmatch(rb"\s*BEGIN[ \t]+IONS\s*", line, re.IGNORECASE)) for line in lines(content))
    numbered = [record.record for record in records if record.record]
    assert len(numbered) + skipped.total() == n_begun
    assert numbered == sorted(set(numbered))
    assert all(record.line <= len(lines(content)) for record in records)


@pytest.mark.slow
@FUZZ
@given(CHANGES)
def test_each_name_of_msp_is_one_record_at_least(changes):
    content = changed(MSP, changes)
    records, skipped = records_of(content, "msp")
    if records is None:
        return
    n_names = sum(bool(re.match(rb"\s*name\s*:", line, re.IGNORECASE)) for line in lines(content))
    n_counts = sum(bool(re.match(rb"\s*num[ _]peaks\s*:", line, re.IGNORECASE)) for line in lines(content))
    n_records = sum(record.record > 0 for record in records) + skipped.total()
    assert n_records >= n_names
    assert n_records >= n_counts


@FUZZ
@given(changes=CHANGES)
def test_each_spectrum_of_mzml_is_one_record(make, changes):
    content = make.file(make.spectrum(), make.spectrum(level="1"), make.spectrum([5.0], [6.0])).encode()
    content = changed(content, changes)
    records, skipped = records_of(content, "mzml")
    if records is not None:
        assert len(records) + sum(skipped.values()) == len(re.findall(rb"<spectrum[ >]", content))


@FUZZ
@given(changes=CHANGES)
@example(changes=[(0.0625, 0, b"}")])  # in the namespace
def test_each_scan_of_mzxml_is_one_record(make_mzxml, changes):
    within = make_mzxml.scan(num="3", within=make_mzxml.scan(num="4", level="3"))
    content = make_mzxml.file(make_mzxml.scan(level="1", within=within), make_mzxml.scan([5.0], [6.0])).encode()
    content = changed(content, changes)
    records, skipped = records_of(content, "mzxml")
    if records is not None:
        assert len(records) + sum(skipped.values()) == len(re.findall(rb"<scan[\s>/]", content))


@FUZZ
@given(changes=CHANGES, form=st.sampled_from(["mgf", "msp", "mzml", "mzxml"]))
def test_rules_that_let_more_in_lose_nothing(make, make_mzxml, changes, form):
    deeper = make_mzxml.scan(num="4", level="3")
    contents = {
        "mgf": MGF + LET_IN,
        "msp": MSP + b"\nName: x\nPrecursorMZ: 289.07/245.08\nMSlevel: 3\nCharge: -1\nIon_mode: P\nAdduct: [M-H]-\n"
        b"Num Peaks: 1\n50 1\n",
        "mzml": make.file(make.spectrum(id="a"), make.spectrum(id="b", level="3")).encode(),
        "mzxml": make_mzxml.file(make_mzxml.scan(num="3", within=deeper), make_mzxml.scan([5.0], [6.0])).encode(),
    }
    content = changed(contents[form], changes)
    strict, skipped = records_of(content, form)
    loose, still_skipped = records_of(content, form, repair=True, msn=True, widest_window=1e9, derive_precursor=True)
    if strict is None or loose is None:
        return
    assert len(loose) + still_skipped.total() == len(strict) + skipped.total()
    usable = {record.record: record for record in loose if not isinstance(record, Rejection)}
    for record in strict:
        if not isinstance(record, Rejection):
            assert mgf_text(usable[record.record]) == mgf_text(record)
            assert usable[record.record].notes == ()


@FUZZ
@given(CHANGES)
def test_each_end_of_massbank_is_one_record(changes):
    content = changed((MASSBANK * 2 + MASSBANK.replace("MS2\n", "MS3\n")).encode(), changes)
    records, skipped = records_of(content, "massbank")
    if records is None:
        return
    n_ends = n_texts = 0
    for line in lines(content):
        if line.strip() == b"//":
            n_ends, n_texts = n_ends + (n_texts > 0), 0
        else:
            n_texts += bool(line.strip())
    assert len(records) + skipped.total() >= n_ends + (n_texts > 0)


@FUZZ
@given(CHANGES)
def test_each_compound_of_sirius_is_one_record_at_least(changes):
    content = changed(SIRIUS.encode(), changes)
    records, skipped = records_of(content, "sirius")
    if records is None:
        return
    n_compounds = sum(bool(re.match(rb"\s*>\s*compound(\s|$)", line, re.IGNORECASE)) for line in lines(content))
    assert len(records) + skipped.total() >= n_compounds


@FUZZ
@given(CHANGES)
def test_each_spectrum_of_mzspeclib_is_one_record(changes):
    content = changed((MZSPECLIB + MZSPECLIB[MZSPECLIB.index("<Spectrum=") :]).encode(), changes)
    records, skipped = records_of(content, "mzspeclib")
    if records is not None:
        n_spectra = sum(bool(re.match(rb"\s*<\s*Spectrum\b", line)) for line in lines(content))
        assert len(records) + skipped.total() >= n_spectra


@FUZZ
@given(CHANGES, st.sampled_from([GNPS, MONA]))
def test_each_value_of_json_is_one_record(changes, text):
    content = changed((text[:-2] + "," + text[1:-2] + ",5," + text[1:]).encode(), changes)
    records, skipped = records_of(content, "json")
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        return
    if records is not None and isinstance(values, list) and b"Infinity" not in content and b"NaN" not in content:
        assert len(records) + skipped.total() == len(values)


KEY = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
PEAK = st.tuples(st.floats(1e-3, 1e6), st.floats(1e-30, 1e30))


@FUZZ
@given(
    st.dictionaries(KEY, VALUE, max_size=4),
    st.lists(PEAK, min_size=1, max_size=6),
    st.floats(1e-3, 1e5),
    st.sampled_from(["", "CHARGE=2-\n", "CHARGE=1+ or 2+\n", "ADDUCT=[2M+Na]+\n", "IONMODE=N\n", "ION=[M+?]+\n"]),
)
def test_what_was_read_and_written_is_read_the_same(same_spectra, fields, peaks, precursor_mz, ion):
    header = "".join(f"{key}={value}\n" for key, value in fields.items())
    body = "".join(f"{mz!r} {intensity!r}\n" for mz, intensity in peaks)
    content = f"BEGIN IONS\nPEPMASS={precursor_mz!r}\n{ion}{header}{body}END IONS\n"
    spectra = list(read_spectra(io.BytesIO(content.encode())))
    assert len(spectra) == 1
    if isinstance(spectra[0], Rejection):
        assert set(fields) & {"charge", "adduct", "ion", "ionmode", "polarity", "pepmass"}
        return
    stream = io.StringIO()
    write_mgf(spectra, stream)
    again = list(read_spectra(io.BytesIO(stream.getvalue().encode())))
    ignored = ("line", "metadata") if ion.startswith("ION=") else ("line",)
    same_spectra(again, spectra, ignore=ignored)


@pytest.mark.slow
@settings(max_examples=3000)
@given(CHANGES, st.sampled_from([MGF, MSP, *map(str.encode, (MASSBANK, SIRIUS, GNPS, MONA, MZSPECLIB))]))
def test_many_more_changes(changes, content):
    records_of(changed(content, changes))
