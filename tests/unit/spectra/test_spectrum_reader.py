"""Formats recognised by content; files that are none of them."""

import bz2
import gzip
import io
import json
import lzma
import sys

import pytest
from library_files import GNPS, MASSBANK, MONA, MZSPECLIB

from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.spectra.reader import read_spectra

MGF = "BEGIN IONS\nPEPMASS=100\n50 1\nEND IONS\n"
MSP = "Name: x\nPrecursorMZ: 100\nNum Peaks: 1\n50 1\n"


SIRIUS = ">compound a\n>parentmass 100\n>ms2\n50 1\n"


@pytest.fixture(params=["mgf", "msp", "mzml", "mzxml", "massbank", "sirius", "gnps", "mona", "mzspeclib"])
def content(request, make, make_mzxml):
    files = {"mgf": MGF, "msp": MSP, "mzml": make.file(make.spectrum()), "mzxml": make_mzxml.file(make_mzxml.scan())}
    files |= {"massbank": MASSBANK, "sirius": SIRIUS, "gnps": GNPS, "mona": MONA, "mzspeclib": MZSPECLIB}
    return files[request.param]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])])
def test_paths_with_any_name_and_open_files(content, pack, tmp_path, same_spectra):
    path = tmp_path / "dataset_1.dat"
    path.write_bytes(pack(content.encode()))
    from_path = list(read_spectra(path))
    assert len(from_path) == 1
    with open(path, "rb") as stream:
        same_spectra(list(read_spectra(stream)), from_path)
        assert not stream.closed
    with open(path, "rb", buffering=0) as stream:
        same_spectra(list(read_spectra(stream)), from_path)
    stream = io.BytesIO(path.read_bytes())
    same_spectra(list(read_spectra(stream)), from_path)
    assert not stream.closed


def test_stdin(content, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert len(list(read_spectra("-"))) == 1


@pytest.mark.parametrize("blank", ["", "\n", "  \n\r\n", "\ufeff", "\ufeff\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_empty_files_have_no_records(read, blank, pack):
    assert read(pack(blank.encode())) == []


@pytest.mark.parametrize("head", ["\n\n", "\ufeff", "# made by x\n", "COM=y\n", "junk\n" * 1000])
def test_mgf_below_other_lines(read, head):
    assert read(head + MGF)[-1].precursor_mz == 100


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"hello\n", "begins with 'hello'"),
        (b"id,smiles\n1,CCO\n", "begins with 'id,smiles'"),
        (b"\x00\x01\x02", "begins with '???'"),
        (b"PK\x03\x04", "a zip archive"),
        (bz2.compress(b"x"), "a bzip2 file"),
        (lzma.compress(b"x"), "an xz file"),
        (gzip.compress(gzip.compress(MGF.encode())), "gzip within gzip"),
        (MGF.encode("utf-16"), "text in UTF-16"),
        (json.dumps({"a": 1}).encode(), "JSON"),
        (b'{"query_id": "a", "precursor_mz": 5}\n', "JSON"),
        (b"<html></html>", "XML, but neither mzML nor mzXML (<html>)"),
        (b"END IONS\n", "begins with 'END IONS'"),
        (b"TITLE=a\nPEPMASS=1\n100 1\n", "begins with 'TITLE=a'"),
        (b"100.1 5\n200.2 6\n", "begins with '100.1 5'"),
    ],
)
def test_other_formats_are_named(content, found, tmp_path):
    path = tmp_path / "x.mgf"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        list(read_spectra(path))
    message = str(caught.value)
    assert found in message
    assert message.startswith(str(path))
    assert "expected MGF, MSP, mzML, mzXML, mzMLb, MassBank" in message


def test_forced_format_is_taken(read):
    assert read(MSP, input_format="msp")[0].precursor_mz == 100
    assert [record.reason for record in read(MSP, input_format="mgf")] == ["text outside records"]
    with pytest.raises(DataError):
        read(MGF, input_format="mzml")
    with pytest.raises(UsageError, match="one of auto, mgf, msp, mzml, mzxml, mzmlb, massbank"):
        read(MGF, input_format="mzdata")


@pytest.mark.parametrize("cut", [3, 12, 40, -1])
def test_gzip_cut_off(content, cut, tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content.encode() * 50)[:cut])
    with pytest.raises(DataError, match=r"x\.gz"):
        list(read_spectra(path))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        list(read_spectra(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="cannot be read"):
        list(read_spectra(tmp_path))
