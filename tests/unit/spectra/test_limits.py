"""Records beyond a limit are rejected with that reason, the next ones are read; time grows with size alone."""

import base64
import collections
import io
import time
import zlib

import numpy as np
import pytest

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import Reading

NEXT_MGF = "BEGIN IONS\nTITLE=next\nPEPMASS=200\n50 1\nEND IONS\n"
NEXT_MSP = "\nName: next\nPrecursorMZ: 200\nNum Peaks: 1\n50 1\n"


def mgf(*lines):
    return "\n".join(["BEGIN IONS", "TITLE=a", "PEPMASS=100", *lines, "END IONS", NEXT_MGF])


def msp(*lines, n=1):
    return "\n".join(["Name: a", "PrecursorMZ: 100", *lines[:-n], f"Num Peaks: {n}", *lines[-n:], NEXT_MSP])


@pytest.mark.parametrize(
    ("content", "rules", "reason"),
    [
        (mgf(*["50 1"] * 6), {"max_peaks": 5}, reasons.TOO_MANY_PEAKS),
        (mgf(*["50 1 x"] * 6), {"max_peaks": 5}, reasons.TOO_MANY_PEAKS),
        (mgf(*(f"KEY{i}=1" for i in range(9)), "50 1"), {"max_fields": 10}, reasons.TOO_MANY_FIELDS),
        (mgf(*["COMMENT=x y"] * 9, "50 1"), {"max_fields": 10}, reasons.TOO_MANY_FIELDS),
        (mgf("COMMENT=" + "x" * 300, "50 1"), {"max_record_size": 200}, reasons.RECORD_TOO_LONG),
        (mgf(*["50 1"] * 60), {"max_record_size": 200}, reasons.RECORD_TOO_LONG),
        (msp(*["50 1"] * 6, n=6), {"max_peaks": 5}, reasons.TOO_MANY_PEAKS),
        (msp('50 1 "a"; 60 1; 70 1; 80 1; 90 1; 95 1'), {"max_peaks": 5}, reasons.TOO_MANY_PEAKS),
        (msp("50 1 60 1 70 1 80 1 90 1 95 1"), {"max_peaks": 5}, reasons.TOO_MANY_PEAKS),
        (msp(*(f"Key{i}: 1" for i in range(9)), "50 1"), {"max_fields": 10}, reasons.TOO_MANY_FIELDS),
        (msp(*["Synon: x y"] * 9, "50 1"), {"max_fields": 10}, reasons.TOO_MANY_FIELDS),
        (msp("Comment: " + " ".join(f"k{i}=1" for i in range(12)), "5 1"), {"max_fields": 10}, reasons.TOO_MANY_FIELDS),
        (msp("Comment: " + "x" * 300, "50 1"), {"max_record_size": 200}, reasons.RECORD_TOO_LONG),
        (msp(*["50 1"] * 60, n=60), {"max_record_size": 200}, reasons.RECORD_TOO_LONG),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_text_record_beyond_a_limit(read, content, rules, reason, line_end):
    rejected, following = read(content.replace("\n", line_end), **rules)
    assert (rejected.reason, rejected.id, rejected.record) == (reason, "a", 1)
    assert (following.id, following.record) == ("next", 2)
    assert [record.id for record in read(content)] == ["a", "next"], "within the limits it is read"


def test_a_record_at_the_limits_is_read(read):
    assert [s.n_peaks for s in read(mgf(*["50 1"] * 5), max_peaks=5, max_fields=2)] == [5, 1]
    assert [s.n_peaks for s in read(msp(*["50 1"] * 5, n=5), max_peaks=5, max_fields=2)] == [5, 1]


def test_an_array_beyond_the_limit(read, make):
    content = make.file(make.spectrum(np.arange(50.0, 56), np.ones(6), id="a"), make.spectrum(id="next"))
    rejected, following = read(content, max_peaks=5)
    assert (rejected.reason, rejected.id) == (reasons.TOO_MANY_PEAKS, "a")
    assert following.id == "next"
    assert [s.n_peaks for s in read(content, max_peaks=6)] == [6, 2]


def test_an_array_of_mzxml_beyond_the_limit(read, make_mzxml):
    content = make_mzxml.file(make_mzxml.scan(np.arange(50.0, 56), np.ones(6), num="1"), make_mzxml.scan(num="2"))
    rejected, following = read(content, max_peaks=5)
    assert (rejected.reason, rejected.id, following.id) == (reasons.TOO_MANY_PEAKS, "1", "2")


def test_an_array_that_declares_a_gigabyte_is_not_unpacked(read, make):
    """1.2 GB of zeros, packed twice over, in a small file."""
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(64)), packer.flush()])
    bomb = make.array([], "m/z", data=base64.b64encode(packed).decode())
    intensity = make.array([], "intensity", data=base64.b64encode(packed).decode())
    content = make.file(
        make.spectrum(id="declared", arrays=bomb + intensity, length=150_000_000),
        make.spectrum(id="hidden", arrays=bomb + intensity, length=2),
        make.spectrum(id="next"),
    )
    declared, hidden, following = read(content)
    assert (declared.reason, hidden.reason) == (reasons.TOO_MANY_PEAKS, reasons.PEAK_COUNT_DIFFERS)
    assert following.id == "next"


@pytest.mark.parametrize(
    "inside", ["<userParam name='a'/>" * 40_000, f"<userParam name='{'a' * 900_000}'/>", f"<!--{' ' * 900_000}-->"]
)
def test_an_element_of_xml_beyond_the_limit(read, make, inside):
    content = make.file(make.spectrum(id="a"), make.spectrum(id="b", extra=inside))
    assert len(read(content)) == 2
    with pytest.raises(DataError, match=r"holds an element of more than 400 bytes; --max-record-size raises the limit"):
        read(content, max_record_size=100)


def test_elements_without_number(read, make, monkeypatch):
    from specbridge_tools.spectra import xml_stream

    monkeypatch.setattr(xml_stream, "MAX_NODES", 100_000)
    monkeypatch.setattr(xml_stream, "BLOCK", 1 << 12)
    with pytest.raises(DataError, match="more than 100,000 elements and attributes in one place"):
        read(make.file(make.spectrum(extra="<a/>" * 120_000)))
    with pytest.raises(
        DataError, match=r"more than 100,000 elements and attributes in one place|broken or cut off XML"
    ):
        read(make.file(make.spectrum(extra="<a>" * 120_000)))


def test_groups_of_parameters_are_looked_into_and_bounded(read, make, monkeypatch):
    from specbridge_tools.spectra import mzml

    names = "".join(make.parameter(f"MS:9{i:06d}") for i in range(200))
    groups = f'<referenceableParamGroup id="g">{names}{make.parameter("MS:1000511", "2")}</referenceableParamGroup>'
    reference = '<referenceableParamGroupRef ref="g"/>' * 1000
    content = make.file(make.spectrum(level="", extra=reference), groups=groups)
    assert read(content)[0].metadata["mslevel"] == "2"
    monkeypatch.setattr(mzml, "MAX_GROUPED", 200)
    with pytest.raises(DataError, match="more than 200 parameters in groups"):
        read(content)


@pytest.mark.parametrize("head", ["\n" * 70_000, " \r\n" * 30_000])
def test_a_file_that_begins_with_nothing_is_not_called_empty(read, head):
    """64 KB of white space hid the records that came behind it."""
    with pytest.raises(FormatError, match="begins with 65,536 bytes of white space; remove the empty lines"):
        read(head + NEXT_MGF)
    assert read(head[:60_000] + NEXT_MGF)[0].id == "next"
    assert read(head[:60_000]) == []


@pytest.mark.slow
def test_a_rest_that_is_passed_over_ends_where_a_record_begins(read):
    """A record that is too long and has no end takes no other with it."""
    content = "BEGIN IONS\nTITLE=a\n" + "50 1\n" * 500_000 + NEXT_MGF + "junk\n" * 500_000 + NEXT_MGF
    records = read(content, max_record_size=1 << 20)
    found = [(record.reason if isinstance(record, Rejection) else record.id) for record in records]
    assert found == [reasons.RECORD_TOO_LONG, "next", reasons.TEXT_OUTSIDE_RECORDS, "next"]
    assert (records[1].line, records[3].line) == (500_003, 1_000_008)


def test_the_first_fields_of_a_file_are_bounded(read):
    content = "".join(f"KEY{i}=1\n" for i in range(20)) + NEXT_MGF
    stray, spectrum = read(content, max_fields=10)
    assert stray.reason == reasons.TEXT_OUTSIDE_RECORDS
    assert sum(name.startswith("key") for name in spectrum.metadata) == 10


def cost(content, **rules):
    """CPU seconds of reading, the lesser of two."""
    seconds = []
    for _ in range(2):
        started = time.process_time()
        collections.deque(read_spectra(io.BytesIO(content), reading=Reading(**rules)), maxlen=0)
        seconds.append(time.process_time() - started)
    return min(seconds)


GROWING = {
    "fields that come again": lambda n: mgf(*(f"COMMENT=number {i} of many" for i in range(n)), "50 1"),
    "fields of any name": lambda n: mgf(*(f"KEY{i}=number {i} of many" for i in range(n)), "50 1"),
    "synonyms": lambda n: msp(*(f"Synon: number {i} of many" for i in range(n)), "50 1"),
    "pairs in comments": lambda n: msp("Comments: " + " ".join(f'"k{i}=v{i}"' for i in range(n)), "50 1"),
    "peaks": lambda n: mgf(*["50.25 100"] * n),
    "peaks with a third column": lambda n: mgf(*["50.25 100 1+"] * n),
    "peaks of MSP": lambda n: msp(*["50.25 100"] * n, n=n),
    "annotated peaks": lambda n: msp(*['50.25 100 "y1/0.1"'] * n, n=n),
    "peaks on one line": lambda n: msp(" ".join(["50.25 100"] * n)),
    "a record without end": lambda n: "BEGIN IONS\nPEPMASS=100\n" + "50.25 100 xEND IONS\n" * n,
    "empty lines": lambda n: mgf("50 1") + "\n" * 30 * n + NEXT_MGF,
    "empty lines of MSP": lambda n: msp("50 1") + "\n" * 30 * n + NEXT_MSP,
    "empty records": lambda n: mgf("50 1") + "BEGIN IONS\nEND IONS\n" * n,
    "empty records of MSP": lambda n: msp("50 1") + "Name: a\n\n" * n,
    "parts of one record": lambda n: "NAME: a\nPRECURSORMZ: 100\n" + "MSTYPE: MS1\nNum Peaks: 0\n\n" * n,
    "junk": lambda n: mgf("50 1") + "junk of some length\n" * n + NEXT_MGF,
    "a long line": lambda n: mgf("COMMENT=" + "x" * 300 * n, "50 1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", GROWING)
def test_time_grows_with_size_alone(kind):
    n = 5_000
    rules = {"max_fields": 1_000_000}
    small, large = (GROWING[kind](size).encode() for size in (n, 4 * n))
    once = cost(small, **rules)
    assert cost(large, **rules) < 4 * once * 2 + 0.1
