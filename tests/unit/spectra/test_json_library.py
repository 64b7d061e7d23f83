"""JSON of MoNA and GNPS: fields of both layouts; what is no record; broken, deep and endless JSON."""

import collections
import io
import json
import tracemalloc

import pytest
from library_files import GNPS, MONA

from specbridge_tools.errors import FormatError
from specbridge_tools.records import Rejection
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.json_library import read_json_library
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import Reading


def gnps(**changes):
    """The GNPS record with other values; None leaves one out."""
    record = {**json.loads(GNPS)[0], **changes}
    return json.dumps([{key: value for key, value in record.items() if value is not None}])


def mona(**metadata):
    """The MoNA record with other metadata; None leaves one out."""
    record = json.loads(MONA)[0]
    names = {name.replace("_", " "): value for name, value in metadata.items()}
    kept = [item for item in record["metaData"] if item["name"] not in names]
    record["metaData"] = kept + [{"name": name, "value": value} for name, value in names.items() if value is not None]
    return json.dumps([record])


def test_gnps(read_one):
    spectrum = read_one(GNPS)
    assert (spectrum.id, spectrum.precursor_mz) == ("CCMSLIB00000579358", 179.057)
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (-1, -1, "[M-H]-")
    assert spectrum.mz.tolist() == [164.033997, 179.057495]
    assert spectrum.intensity.tolist() == pytest.approx([32294.5, 129907.101562])
    assert (spectrum.record, spectrum.line) == (1, 0)
    wanted = {
        "name": "Theophyllin",
        "smiles": "CN1C2=C(NC=N2)C(=O)N(C)C1=O",
        "inchi": "InChI=1S/C7H8N4O2/c1-10-5-4(8-3-9-5)6(12)11(2)7(10)13/h3H,1-2H3,(H,8,9)",
        "inchikey": "ZFXYFBGIUFBOJW-UHFFFAOYSA-N",
        "formula": "C7H8N4O2",
        "mslevel": "2",
        "ionmode": "Negative",
        "instrument": "Orbitrap",
        "scans": "1",
    }
    assert {key: spectrum.metadata.get(key) for key in wanted} == wanted


def test_mona(read_one):
    spectrum = read_one(MONA)
    assert (spectrum.id, spectrum.precursor_mz) == ("AU100601", 285.0208)
    assert (spectrum.charge, spectrum.polarity, spectrum.adduct) == (1, 1, "[M+H]+")
    assert spectrum.mz.tolist() == [65.0382, 92.0498, 108.0457, 156.0118]
    assert spectrum.intensity.tolist() == pytest.approx([3.822962, 7.702203, 12.172375, 100])
    wanted = {
        "name": "Sulfaclozine",
        "smiles": "c1cc(ccc1N)S(=O)(=O)Nc2cncc(n2)Cl",
        "inchikey": "QKLPUVXBJHRFQZ-UHFFFAOYSA-N",
        "formula": "C10H9ClN4O2S",
        "mslevel": "MS2",
        "ionmode": "positive",
        "ionization": "ESI",
        "collision_energy": "30 eV",
        "instrument_type": "LC-ESI-QTOF",
        "license": "CC BY",
    }
    assert {key: spectrum.metadata.get(key) for key in wanted} == wanted
    assert "spectral_entropy" not in spectrum.metadata


@pytest.mark.parametrize("layout", ["array", "object", "lines", "one line"])
@pytest.mark.parametrize("text", [GNPS, MONA])
def test_layouts(read, text, layout):
    records = json.loads(text) * 3
    content = {
        "array": json.dumps(records),
        "object": json.dumps(records[0]),
        "lines": "\n".join(map(json.dumps, records)),
        "one line": "".join(map(json.dumps, records)),
    }[layout]
    spectra = read("\ufeff" + content)
    assert [spectrum.record for spectrum in spectra] == ([1] if layout == "object" else [1, 2, 3])
    assert len({spectrum.mz.tobytes() for spectrum in spectra}) == 1


def test_what_matchms_writes(read_one):
    record = {"precursor_mz": 179.057, "charge": -1, "smiles": "CCO", "peaks_json": [[50.5, 1.0], [60.25, 2]]}
    spectrum = read_one(json.dumps([record]))
    assert (spectrum.precursor_mz, spectrum.charge, spectrum.mz.tolist()) == (179.057, -1, [50.5, 60.25])


@pytest.mark.parametrize(
    "peaks", ["[[50.5,1],[60,2]]", " [ [50.5, 1], [60, 2] ] ", "[[50.5,1.0],[60,2e0]]", "[[50.5 , 1] , [60 , 2]]"]
)
def test_peaks_json(read_one, peaks):
    spectrum = read_one(gnps(peaks_json=peaks))
    assert (spectrum.mz.tolist(), spectrum.intensity.tolist()) == ([50.5, 60], [1, 2])


def test_levels(read):
    skipped = collections.Counter()
    levels = [json.loads(gnps(ms_level=level))[0] for level in ("1", "2", 3)]
    levels += [json.loads(mona(ms_level=level))[0] for level in ("MS", "MS2", "MS3")]
    spectra = read(json.dumps(levels), skipped=skipped)
    assert [spectrum.record for spectrum in spectra] == [2, 5]
    assert skipped == {"MS1": 2, "MS3 or deeper": 2}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gnps(Precursor_MZ="x"), reasons.PRECURSOR_NOT_A_NUMBER),
        (gnps(Precursor_MZ=None), reasons.NO_PRECURSOR),
        (gnps(Precursor_MZ="0.0"), reasons.PRECURSOR_NOT_POSITIVE),
        (gnps(Precursor_MZ=[1]), reasons.NO_PRECURSOR),
        (gnps(Precursor_MZ="179", precursor_mz=180), reasons.CONTRADICTORY_FIELDS),
        (gnps(Adduct="M+H"), reasons.CONTRADICTORY_CHARGE),
        (gnps(Ion_Mode="up"), reasons.UNKNOWN_POLARITY),
        (gnps(Compound_Name="a\0b"), reasons.NUL_BYTES),
        (gnps(peaks_json=None), reasons.NO_PEAKS),
        (gnps(peaks_json="[]"), reasons.NO_PEAKS),
        (gnps(peaks_json=[]), reasons.NO_PEAKS),
        (gnps(peaks_json=""), reasons.NO_PEAKS),
        (gnps(peaks_json=5), reasons.UNEQUAL_ARRAYS),
        (gnps(peaks_json="[[1,2],[3]]"), reasons.UNEQUAL_ARRAYS),
        (gnps(peaks_json="[[1,2],[3,4]"), reasons.UNEQUAL_ARRAYS),
        (gnps(peaks_json="[[1,2][3,4]]"), reasons.UNEQUAL_ARRAYS),
        (gnps(peaks_json=[[1, 2], 3]), reasons.UNEQUAL_ARRAYS),
        (gnps(peaks_json=[[1, [2]]]), reasons.PEAK_NOT_A_NUMBER),
        (gnps(peaks_json="[[1,x]]"), reasons.PEAK_NOT_A_NUMBER),
        (gnps(peaks_json="[[1,1e999]]"), reasons.PEAK_NOT_A_NUMBER),
        (gnps(peaks_json="[[1,-1]]"), reasons.NEGATIVE_INTENSITY),
        (mona(precursor_type="odd"), reasons.UNKNOWN_ADDUCT),
        (mona(ionization_mode="negative"), reasons.CONTRADICTORY_CHARGE),
        (mona().replace("65.0382:", "65.0382 "), reasons.UNEQUAL_ARRAYS),
        (mona().replace("65.0382:", "x:"), reasons.PEAK_NOT_A_NUMBER),
        (mona().replace('"spectrum":', '"other":'), reasons.NO_PEAKS),
        ('[{"compound": 5, "metaData": {"name": "ms level"}}]', reasons.NO_PEAKS),
        ('[{"precursor_mz": 5, "peaks_json": null}]', reasons.NO_PEAKS),
        ("[5]", reasons.NOT_A_RECORD),
        ('["precursor_mz"]', reasons.NOT_A_RECORD),
        ("[null]", reasons.NOT_A_RECORD),
        ("[[]]", reasons.NOT_A_RECORD),
        ("[{}]", reasons.NOT_A_RECORD),
        ('[{"a": 1}]', reasons.NOT_A_RECORD),
        (gnps(extra=json.loads("[" * 40 + "]" * 40)), reasons.RECORD_TOO_LONG),
        ("[" * 1000 + "]" * 1000, reasons.RECORD_TOO_LONG),
    ],
)
def test_rejections(read, content, reason):
    content = content.rstrip()[:-1] + "," + GNPS[1:] if content.startswith("[{") else content + GNPS
    rejection, spectrum = read(content, input_format="json")
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.record) == (reason, 1)
    assert (spectrum.id, spectrum.record) == ("CCMSLIB00000579358", 2)


@pytest.mark.parametrize(
    "tail",
    [
        "[",
        "[{",
        '[{"a": ',
        '[{"a": NaN}]',
        "]",
        "x",
        '[{"a" 5}]',
        "[1e99999999999999999999]",
        "[" * 100_000,
        '["\xff"]',
    ],
)
def test_broken_json_is_one_error_behind_what_is_sound(tail):
    records = read_spectra(io.BytesIO(GNPS.encode() + tail.encode("latin-1")), reading=Reading("json"))
    assert next(records).id == "CCMSLIB00000579358"
    with pytest.raises(FormatError, match="is not JSON, or not to its end") as caught:
        list(records)
    assert "\n" not in str(caught.value)


def test_an_integer_of_thousands_of_digits():
    content = GNPS.replace('"scan": "1"', '"scan": 1' + "0" * 5000).encode()
    with pytest.raises(FormatError, match="a number too large"):
        list(read_spectra(io.BytesIO(content)))


class Endless:
    """A file that repeats some bytes."""

    name = "endless"

    def __init__(self, head, repeated):
        self._head, self._repeated = head, repeated * (1 + (1 << 16) // len(repeated))
        self.n_read = 0

    def read(self, size=-1):
        self.n_read += 1 << 16
        assert self.n_read < 1 << 28, "more than 256 MB were read"
        block, self._head = self._head + self._repeated, b""
        return block[:size] if size > 0 else block

    def readable(self):
        return True

    def readinto(self, buffer):
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    closed = False


@pytest.mark.slow
@pytest.mark.parametrize("repeated", [b"[", b"[],", b'"a",', b'{"a":0},', b" ", b"1", b'{"a":'])
def test_endless_json_ends(repeated):
    tracemalloc.start()
    records = read_json_library(
        Endless(b'[{"precursor_mz": [0' + b","[repeated == b"1" :], repeated),
        "endless",
        Reading(),
        collections.Counter(),
    )
    with pytest.raises(FormatError, match=r"more than 8,388,608 bytes|not JSON"):
        list(records)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 << 20
