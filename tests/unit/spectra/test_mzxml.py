"""mzXML: levels, scans within scans, precursors, arrays; damage in the XML; the same as pyteomics reads."""

import collections
import gzip
import io
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyteomics import mzxml as pyteomics_mzxml

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.reader import count_spectra, read_spectra
from specbridge_tools.spectra.reading import Reading

INSTRUMENT = (
    '<msInstrument msInstrumentID="1"><msManufacturer category="msManufacturer" value="Thermo Scientific"/>'
    '<msModel category="msModel" value="{}"/></msInstrument>\n<dataProcessing centroided="0"/>\n'
)
TWO = '<precursorMz precursorIntensity="1">163.06</precursorMz><precursorMz precursorIntensity="1">381.08</precursorMz>'


@pytest.fixture(scope="session")
def run(make_mzxml):
    """A run as converters write it: survey scans that hold their MS2 scans, one of which holds an MS3 scan."""
    scan = make_mzxml.scan
    deeper = scan([50.25], [3.0], num="4", level="3", precursors=TWO)
    first = scan(num="3", within=deeper, polarity="-", retentionTime="PT61.5S", collisionEnergy="30")
    packed = make_mzxml.peaks(np.arange(60.0, 90), np.arange(1.0, 31), precision="64", compress=True)
    second = scan(
        np.arange(30),
        peaks=packed,
        num="5",
        retentionTime="PT1M2S",
        precursors='<precursorMz precursorIntensity="0">90.5</precursorMz>',
    )
    surveys = [scan(num="2", level="1", within=first + second), scan(num="6", level="1", within=scan(num="9"))]
    return make_mzxml.file(*surveys, head=INSTRUMENT.format("LTQ Orbitrap Velos"))


def test_a_scan(read_one, make_mzxml):
    scan = make_mzxml.scan(retentionTime="PT90.5S", collisionEnergy="35.0", msInstrumentID="1")
    spectrum = read_one(make_mzxml.file(scan, head=INSTRUMENT.format("Q Exactive")))
    assert (spectrum.id, spectrum.precursor_mz) == ("7", 381.0795)
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (1, 1, None)
    assert (spectrum.mz.tolist(), spectrum.intensity.tolist()) == ([100, 200], [10, 20])
    assert (spectrum.mz.dtype, spectrum.intensity.dtype) == (np.float64, np.float32)
    assert (spectrum.record, spectrum.line) == (1, 7)
    assert dict(spectrum.metadata) == {
        "scans": "7",
        "mslevel": "2",
        "ionmode": "positive",
        "rtinseconds": "90.5",
        "precursor_intensity": "5",
        "collision_energy": "35.0",
        "instrument": "Q Exactive",
    }


def test_scans_come_in_the_order_in_which_they_begin(read, run):
    skipped = collections.Counter()
    spectra = read(run, skipped=skipped)
    assert [(spectrum.id, spectrum.record) for spectrum in spectra] == [("3", 2), ("5", 4), ("9", 6)]
    assert [spectrum.precursor_mz for spectrum in spectra] == [381.0795, 90.5, 381.0795]
    assert [spectrum.n_peaks for spectrum in spectra] == [2, 30, 2]
    assert [spectrum.polarity for spectrum in spectra] == [-1, 1, 1]
    assert [spectrum.metadata.get("rtinseconds") for spectrum in spectra] == ["61.5", "62", None]
    assert skipped == {"MS1": 2, "MS3 or deeper": 1}


def test_pyteomics_reads_the_same(read, run, tmp_path):
    path = tmp_path / "run.mzXML"
    path.write_text(run)
    with pyteomics_mzxml.MzXML(str(path), use_index=False) as scans:
        others = {scan["num"]: scan for scan in scans if scan["msLevel"] == 2}
    spectra = read(run)
    assert others.keys() == {spectrum.id for spectrum in spectra}
    for spectrum in spectra:
        other = others[spectrum.id]
        np.testing.assert_array_equal(spectrum.mz, other["m/z array"])
        np.testing.assert_array_equal(spectrum.intensity, other["intensity array"])
        assert spectrum.precursor_mz == other["precursorMz"][0]["precursorMz"]
        assert spectrum.metadata["mslevel"] == str(other["msLevel"])
        assert spectrum.metadata["ionmode"] == {"+": "positive", "-": "negative"}[other["polarity"]]
        assert spectrum.metadata.get("collision_energy") in (None, f"{other.get('collisionEnergy', 0):.0f}")
        if "retentionTime" in other:
            assert float(spectrum.metadata["rtinseconds"]) == pytest.approx(60 * other["retentionTime"])


def test_ranges_and_gzip(read, run, same_spectra):
    whole = read(run)
    same_spectra(read(gzip.compress(run.encode())), whole)
    assert count_spectra(io.BytesIO(run.encode())) == 6
    for low, high in itertools.combinations(range(7), 2):
        wanted = [spectrum for spectrum in whole if low < spectrum.record <= high]
        same_spectra(read(run, record_range=RecordRange(low, high)), wanted)


@pytest.mark.parametrize("precision", ["32", "64"])
@pytest.mark.parametrize("compress", [False, True])
def test_arrays(read_one, make_mzxml, precision, compress):
    peaks = make_mzxml.peaks([100.5, 200.25], [1, 2], precision=precision, compress=compress)
    spectrum = read_one(make_mzxml.file(make_mzxml.scan(peaks=peaks)))
    assert (spectrum.mz.tolist(), spectrum.intensity.tolist()) == ([100.5, 200.25], [1, 2])


@pytest.mark.parametrize(
    ("settings", "attributes", "reason"),
    [
        ({"precursors": ""}, {}, reasons.NO_PRECURSOR),
        ({"precursors": TWO}, {}, reasons.SEVERAL_PRECURSORS),
        ({"precursors": "<precursorMz>x</precursorMz>"}, {}, reasons.PRECURSOR_NOT_A_NUMBER),
        ({"precursors": "<precursorMz>0</precursorMz>"}, {}, reasons.PRECURSOR_NOT_POSITIVE),
        ({"precursors": '<precursorMz windowWideness="25">413</precursorMz>'}, {}, reasons.WIDE_ISOLATION),
        ({"polarity": "both"}, {}, reasons.UNKNOWN_POLARITY),
        ({"centroided": "0"}, {}, reasons.PROFILE_SPECTRUM),
        ({"count": "0"}, {}, reasons.NO_PEAKS),
        ({"count": "3"}, {}, reasons.PEAK_COUNT_DIFFERS),
        ({"count": "1"}, {}, reasons.PEAK_COUNT_DIFFERS),
        ({"count": "x"}, {}, reasons.PEAK_COUNT_DIFFERS),
        ({"peaks": ""}, {}, reasons.NO_PEAKS),
        ({"peaks": "<peaks/><peaks/>"}, {}, reasons.UNEQUAL_ARRAYS),
        ({}, {"precision": "16"}, reasons.ARRAY_NOT_DECODED),
        ({}, {"compressionType": "bzip"}, reasons.ARRAY_NOT_DECODED),
        ({}, {"compressionType": "zlib"}, reasons.ARRAY_NOT_DECODED),
        ({}, {"contentType": "m/z ruler"}, reasons.ARRAY_NOT_DECODED),
        ({}, {"byteOrder": "little"}, reasons.ARRAY_NOT_DECODED),
        ({"intensity": [0.0, 0.0]}, {}, reasons.NO_PEAKS),
        ({"intensity": [1.0, -1.0]}, {}, reasons.NEGATIVE_INTENSITY),
    ],
)
def test_rejections(read, make_mzxml, settings, attributes, reason):
    text = make_mzxml.file(make_mzxml.scan(**settings), make_mzxml.scan())
    for name, value in attributes.items():
        at = text.index(f'{name}="') + len(name) + 2
        text = text[:at] + value + text[text.index('"', at) :]
    rejection, spectrum = read(text)
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.id, rejection.record) == (reason, "7", 1)
    assert spectrum.n_peaks == 2


@pytest.mark.parametrize("n_blanks", [0, 1 << 16, (1 << 16) - 4, (1 << 18) - 4, 1 << 20])
@pytest.mark.parametrize("form", ["mzml", "mzxml"])
def test_a_document_type_is_refused_wherever_it_is(read, make, make_mzxml, form, n_blanks):
    text = make.file(make.spectrum()) if form == "mzml" else make_mzxml.file(make_mzxml.scan())
    head, body = text.split("\n", 1)
    text = f'{head}\n<!--{" " * n_blanks}--><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>\n{body}'
    with pytest.raises(FormatError, match="document type"):
        read(text, input_format=form)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
@pytest.mark.parametrize("form", ["mzml", "mzxml"])
def test_no_document_type_hides_in_another_encoding(read, form, encoding):
    text = '<!DOCTYPE mzML [<!ENTITY a "aaaa">]>\n<mzML/>'
    if encoding == "utf-7":
        content = b'<?xml version="1.0" encoding="UTF-7"?>\n' + text.replace("<!", "+ADw-!").encode()
    else:
        content = f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'.encode(encoding)
    with pytest.raises(FormatError, match=r"encoding|UTF-8"):
        read(content, input_format=form)


def test_forced_mzxml_of_other_xml(read):
    with pytest.raises(FormatError, match=r"not mzXML \(<a>\)"):
        read("<a/>", input_format="mzxml")


def outcome(content, **rules):
    """(records, the error that ended them or None)."""
    records = []
    try:
        records.extend(read_spectra(io.BytesIO(content), reading=Reading(**rules)))
    except DataError as error:
        return records, error
    return records, None


@settings(max_examples=200)
@given(cut=st.floats(0, 1), packed=st.booleans())
def test_a_file_that_is_cut_off_gives_whole_scans_then_an_error(run, same_spectra, cut, packed):
    content = gzip.compress(run.encode(), mtime=0) if packed else run.encode()
    end = int(cut * len(content))
    records, error = outcome(content[:end], input_format="mzxml")
    whole, _ = outcome(content)
    assert error is not None or end >= len(content.rstrip())
    same_spectra(records, whole[: len(records)])


def test_cut_off_anywhere(make_mzxml, same_spectra):
    content = make_mzxml.file(make_mzxml.scan(within=make_mzxml.scan(num="8"))).encode()
    whole, _ = outcome(content)
    for end in range(len(content) - 1):
        records, error = outcome(content[:end])
        assert error is not None or not content[:end].strip(), end
        same_spectra(records, whole[: len(records)])
    assert len(records) == len(whole) == 2


def test_memory_stays_small(make_mzxml):
    # each scan is emptied after use, also where one survey scan holds them all
    scan = make_mzxml.scan(np.arange(1.0, 500), np.arange(1.0, 500))
    for text in (make_mzxml.file(*[scan] * 600), make_mzxml.file(make_mzxml.scan(level="1", within=scan * 600))):
        content = text.encode()
        tracemalloc.start()
        n_read = sum(1 for _ in read_spectra(io.BytesIO(content)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert n_read == 600
        assert peak < 8 << 20
