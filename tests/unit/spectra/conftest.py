"""Small spectrum files, made as text."""

import base64
import io
import types
import zlib

import numpy as np
import pytest

from specbridge_tools.records import Rejection
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.reading import Reading

MZML_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0">\n'
MZML_TAIL = "</spectrumList></run>\n</mzML>\n"
MZXML_HEAD = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<mzXML '
    'xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">\n<msRun scanCount="2">\n'
    '<parentFile fileName="file:///a.raw" fileType="RAWData" fileSha1="0"/>\n'
)
MZXML_TAIL = "</msRun>\n<indexOffset>0</indexOffset>\n</mzXML>\n"


def parameter(accession, value="", unit="", name=""):
    unit = f' unitAccession="{unit}"' if unit else ""
    return f'<cvParam cvRef="MS" accession="{accession}" name="{name}" value="{value}"{unit}/>'


def array(values, kind, *, dtype="<f8", compress=True, data=None):
    """A binaryDataArray; `kind` is m/z or intensity; `data` replaces the base64 text."""
    raw = np.asarray(values, dtype=dtype).tobytes()
    packed = base64.b64encode(zlib.compress(raw) if compress else raw).decode()
    kinds = {"m/z": "MS:1000514", "intensity": "MS:1000515"}
    types = {"<f8": "MS:1000523", "<f4": "MS:1000521", "<i4": "MS:1000519", "<i8": "MS:1000522"}
    accessions = [kinds[kind], types[dtype], "MS:1000574" if compress else "MS:1000576"]
    text = packed if data is None else data
    return f"<binaryDataArray>{''.join(map(parameter, accessions))}<binary>{text}</binary></binaryDataArray>\n"


def mzml_spectrum(
    mz=(100.0, 200.0),
    intensity=(10.0, 20.0),
    *,
    id="controllerType=0 controllerNumber=1 scan=7",
    level="2",
    ion=None,
    precursors=None,
    polarity="MS:1000130",
    energy="",
    arrays=None,
    length=None,
    extra="",
):
    if ion is None:
        ion = parameter("MS:1000744", "381.0795") + parameter("MS:1000041", "1")
    if precursors is None:
        activation = f"<activation>{energy}</activation>" if energy else ""
        ions = f"<selectedIonList><selectedIon>{ion}</selectedIon></selectedIonList>" if ion else ""
        precursors = f"<precursor>{ions}{activation}</precursor>"
    parameters = parameter("MS:1000511", level) if level else ""
    parameters += parameter(polarity) if polarity else ""
    arrays = array(mz, "m/z") + array(intensity, "intensity", dtype="<f4") if arrays is None else arrays
    length = len(mz) if length is None else length
    return (
        f'<spectrum index="0" id="{id}" defaultArrayLength="{length}">{parameters}{extra}\n'
        + (f"<precursorList>{precursors}</precursorList>" if precursors else "")
        + f"<binaryDataArrayList>{arrays}</binaryDataArrayList></spectrum>\n"
    )


def mzml(*spectra, groups=""):
    groups = f"<referenceableParamGroupList>{groups}</referenceableParamGroupList>" if groups else ""
    return MZML_HEAD + groups + "<run><spectrumList>" + "".join(spectra) + MZML_TAIL


def mzxml_peaks(mz, intensity, *, precision="32", compress=False, **attributes):
    """A peaks element: pairs of big-endian numbers, in base64."""
    pairs = np.stack([np.asarray(mz), np.asarray(intensity)], axis=1).astype({"32": ">f4", "64": ">f8"}[precision])
    data = zlib.compress(pairs.tobytes()) if compress else pairs.tobytes()
    attributes = {
        "compressionType": "zlib" if compress else "none",
        "compressedLen": str(len(data) if compress else 0),
        "precision": precision,
        "byteOrder": "network",
        "contentType": "m/z-int",
        **attributes,
    }
    words = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<peaks {words}>{base64.b64encode(data).decode()}</peaks>\n"


def mzxml_scan(
    mz=(100.0, 200.0),
    intensity=(10.0, 20.0),
    *,
    num="7",
    level="2",
    precursors='<precursorMz precursorIntensity="5" precursorCharge="1">381.0795</precursorMz>\n',
    peaks=None,
    count=None,
    within="",
    **attributes,
):
    """A scan element; `within` is what it holds behind its peaks, its scans of the next level."""
    attributes = {
        "num": num,
        "scanType": "Full",
        "centroided": "1",
        "msLevel": level,
        "peaksCount": str(len(mz)) if count is None else count,
        "polarity": "+",
        **attributes,
    }
    words = " ".join(f'{name}="{value}"' for name, value in attributes.items() if value is not None)
    peaks = mzxml_peaks(mz, intensity) if peaks is None else peaks
    return f"<scan {words}>\n{precursors if level != '1' else ''}{peaks}{within}</scan>\n"


def mzxml(*scans, head=""):
    return MZXML_HEAD + head + "".join(scans) + MZXML_TAIL


def read_bytes(content, *, skipped=None, record_range=None, **rules):
    content = content.encode() if isinstance(content, str) else content
    reading = Reading(**rules)
    return list(read_spectra(io.BytesIO(content), reading=reading, skipped=skipped, record_range=record_range))


@pytest.fixture(scope="session")
def read():
    """All records of a file with this content, text or bytes, by rules that are fields of `Reading`."""
    return read_bytes


@pytest.fixture(scope="session")
def read_one():
    """The one spectrum of a file."""

    def read_single(content, **settings):
        (spectrum,) = read_bytes(content, **settings)
        assert not isinstance(spectrum, Rejection), spectrum
        return spectrum

    return read_single


@pytest.fixture(scope="session")
def make():
    """Writers of mzML: make.file(make.spectrum(...), ...), make.array(...), make.parameter(...)."""
    return types.SimpleNamespace(file=mzml, spectrum=mzml_spectrum, array=array, parameter=parameter)


@pytest.fixture(scope="session")
def make_mzxml():
    """Writers of mzXML: make_mzxml.file(make_mzxml.scan(...), ...), make_mzxml.peaks(...)."""
    return types.SimpleNamespace(file=mzxml, scan=mzxml_scan, peaks=mzxml_peaks)


@pytest.fixture(scope="session")
def same_spectra():
    """Assert that two lists of records are equal, array by array."""

    def check(first, second, ignore=()):
        assert len(first) == len(second)
        for left, right in zip(first, second, strict=True):
            assert type(left) is type(right), (left, right)
            for name in set(type(left).__dataclass_fields__) - set(ignore):
                value, other = getattr(left, name), getattr(right, name)
                if isinstance(value, np.ndarray):
                    assert value.dtype == other.dtype
                    np.testing.assert_array_equal(value, other)
                else:
                    assert value == other, name

    return check
