"""mzMLb: mzML whose arrays stand in datasets of HDF5; what other files and damaged ones are."""

import collections
import gzip
import io
import itertools

import h5py
import numpy as np
import pynumpress
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyteomics.mzmlb import delta_predict, linear_predict

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.reader import count_spectra, read_spectra
from specbridge_tools.spectra.reading import Reading

KINDS = {"m/z": "MS:1000514", "intensity": "MS:1000515"}
TYPES = {"f4": "MS:1000521", "f8": "MS:1000523"}


class Maker:
    """Writes an mzMLb file: first its spectra, whose arrays go to datasets, then the file."""

    def __init__(self, make):
        self._make = make
        self._values = collections.defaultdict(list)
        self._spectra = []

    def array(self, values, kind, *, terms=("MS:1000574",), dataset=None, **changes):
        name = dataset or f"spectrum_{KINDS[kind].replace(':', '_')}_{np.asarray(values).dtype}"
        offset = sum(map(len, self._values[name]))
        self._values[name].append(np.asarray(values))
        external = {"MS:1002841": name, "MS:1002842": offset, "MS:1002843": len(values), **changes}
        parameters = [self._make.parameter(KINDS[kind]), self._make.parameter(TYPES["f8"])]
        parameters += map(self._make.parameter, terms)
        parameters += [self._make.parameter(accession, value) for accession, value in external.items()]
        return f"<binaryDataArray>{''.join(parameters)}<binary/></binaryDataArray>\n"

    def spectrum(self, mz=(100.0, 200.0), intensity=(10.0, 20.0), *, arrays=None, **settings):
        if arrays is None:
            arrays = self.array(np.asarray(mz, "f8"), "m/z") + self.array(np.asarray(intensity, "f4"), "intensity")
        self._spectra.append(self._make.spectrum(mz, arrays=arrays, **settings))
        return self

    def content(self, *, dtype="i1", xml=None, **settings):
        """The bytes of the file."""
        text = self._make.file(*self._spectra) if xml is None else xml
        stream = io.BytesIO()
        settings = {"compression": "gzip", "shuffle": True, "chunks": True, **settings}
        with h5py.File(stream, "w") as file:
            data = np.frombuffer(text.encode(), "S1" if dtype == "S1" else dtype)
            file.create_dataset("mzML", data=data, **settings).attrs["version"] = "mzMLb 1.0"
            file.create_dataset("mzML_spectrumIndex", data=np.arange(3))
            for name, values in self._values.items():
                file.create_dataset(name, data=np.concatenate(values), **settings)
        return stream.getvalue()


@pytest.fixture
def maker(make):
    return Maker(make)


@pytest.mark.parametrize("dtype", ["i1", "u1", "S1"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_same_as_mzml(read, make, maker, same_spectra, dtype, pack, tmp_path):
    first, second = np.arange(50.0, 80), np.arange(60.0, 65.5, 0.25)
    for mz in (first, second):
        maker.spectrum(mz, np.sqrt(mz))
    maker.spectrum(level="1").spectrum(level="3")
    levels = [make.spectrum(mz, np.sqrt(mz)) for mz in (first, second)]
    levels += [make.spectrum(level="1"), make.spectrum(level="3")]
    skipped, expected = collections.Counter(), collections.Counter()
    content = maker.content(dtype=dtype)
    spectra = read(pack(content), skipped=skipped)
    same_spectra(spectra, read(make.file(*levels), skipped=expected), ignore=["line"])
    assert skipped == expected == {"MS1": 1, "MS3 or deeper": 1}
    path = tmp_path / "dataset_1.dat"
    path.write_bytes(pack(content))
    same_spectra(list(read_spectra(path)), spectra)


@pytest.mark.slow
def test_parts(read, maker, same_spectra):
    for i in range(5):
        maker.spectrum([50.0 + i, 60], level="1" if i == 1 else "2")
    content = maker.content()
    whole = read(content)
    assert count_spectra(io.BytesIO(content)) == 5
    for low, high in itertools.combinations(range(6), 2):
        part = read(content, record_range=RecordRange(low, high))
        same_spectra(part, [spectrum for spectrum in whole if low < spectrum.record <= high])


@pytest.mark.parametrize("storage", [{}, {"compression": None, "shuffle": False, "chunks": None}])
def test_many_spectra_of_one_dataset(read, maker, storage):
    rng = np.random.default_rng(0)
    expected = [np.sort(rng.uniform(50, 900, rng.integers(1, 400))) for _ in range(300)]
    for mz in expected:
        maker.spectrum(mz, mz)
    for spectrum, mz in zip(read(maker.content(**storage)), expected, strict=True):
        np.testing.assert_array_equal(spectrum.mz, mz)


@pytest.mark.parametrize(
    ("accession", "predict"), [("MS:1003089", delta_predict), ("MS:1003090", linear_predict), ("MS:1003088", None)]
)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_predictions(read_one, maker, accession, predict, dtype):
    mz = np.array([100.5, 150.25, 190.75, 300.5, 301.25], dtype)
    stored = mz.copy()
    if accession == "MS:1003089":
        stored[2:] = mz[2:] - mz[1:-1] + mz[0]
    elif accession == "MS:1003090":
        stored[2:] = mz[2:] - 2 * mz[1:-1] + mz[:-2] + mz[1]
    if predict:
        np.testing.assert_array_equal(predict(stored), mz)
    arrays = maker.array(stored, "m/z", terms=[accession]) + maker.array(np.ones(5, "f4"), "intensity")
    np.testing.assert_array_equal(read_one(maker.spectrum(mz, arrays=arrays).content()).mz, mz)


def test_numpress(read_one, maker):
    mz = np.array([100.0, 200.0, 300.00005, 400.0001])
    packed = np.frombuffer(bytes(pynumpress.encode_linear(mz, pynumpress.optimal_linear_fixed_point(mz))), np.uint8)
    arrays = maker.array(packed, "m/z", terms=["MS:1002746"]) + maker.array(np.ones(4, "f4"), "intensity")
    np.testing.assert_allclose(read_one(maker.spectrum(mz, arrays=arrays).content()).mz, mz, rtol=1e-8)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"MS:1002841": "none"}, reasons.ARRAY_NOT_DECODED),
        ({"MS:1002841": ""}, reasons.ARRAY_NOT_DECODED),
        ({"MS:1002842": "1"}, reasons.ARRAY_NOT_DECODED),
        ({"MS:1002842": "-1"}, reasons.ARRAY_NOT_DECODED),
        ({"MS:1002842": "x"}, reasons.ARRAY_NOT_DECODED),
        ({"MS:1002842": "9" * 18}, reasons.ARRAY_NOT_DECODED),
        ({"MS:1002843": "1"}, reasons.PEAK_COUNT_DIFFERS),
        ({"MS:1002843": "0"}, reasons.PEAK_COUNT_DIFFERS),
        ({"MS:1002843": "9" * 18}, reasons.PEAK_COUNT_DIFFERS),
        ({"MS:1002843": "9" * 30}, reasons.ARRAY_NOT_DECODED),
    ],
)
def test_arrays_that_are_not_there(read, maker, changes, reason):
    intensity = np.array([1, 2], "f4")
    arrays = maker.array(np.array([1.0, 2]), "m/z", **changes) + maker.array(intensity, "intensity")
    (rejection,) = read(maker.spectrum(arrays=arrays).content())
    assert isinstance(rejection, Rejection)
    assert rejection.reason == reason


def test_other_hdf5_files(read):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["a"] = np.arange(3)
    with pytest.raises(FormatError, match="is an HDF5 file, but not mzMLb"):
        read(stream.getvalue())
    with pytest.raises(FormatError, match="msconvert"):
        read(b"\x89HDF\r\n\x1a\n")


def test_no_other_file_is_read(read, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["mzML"] = np.frombuffer(b"<mzML/>", "i1")
    path = tmp_path / "a.mzMLb"
    with h5py.File(path, "w") as file:
        file["mzML"] = h5py.ExternalLink(str(secret), "mzML")
    with pytest.raises(FormatError, match="a link to another file"):
        list(read_spectra(path))
    with h5py.File(path, "w") as file:
        file.create_dataset("mzML", (7,), "i1", external=[(str(secret), 0, 7)])
    with pytest.raises(FormatError, match="another file"):
        list(read_spectra(path))


def test_a_document_type_is_refused(read, maker):
    text = '<?xml version="1.0"?>\n<!DOCTYPE mzML SYSTEM "file:///etc/passwd">\n<mzML/>'
    with pytest.raises(FormatError, match="document type"):
        read(maker.content(xml=text))


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4))
def test_changed_bytes_give_records_or_an_error(make, changes):
    content = bytearray(Maker(make).spectrum().spectrum(level="1").spectrum([5.0], [6.0]).content())
    for where, insert in changes:
        at = int(where * (len(content) - len(insert)))
        content[at : at + len(insert)] = insert
    try:
        records = list(read_spectra(io.BytesIO(bytes(content)), reading=Reading("mzmlb")))
    except DataError:
        return
    assert all(isinstance(record, Rejection) or record.n_peaks > 0 for record in records)


@pytest.mark.slow
def test_cut_off(maker):
    content = maker.spectrum().spectrum([5.0], [6.0]).content()
    for end in (*range(9, len(content) - 1, 97), len(content) - 1):
        with pytest.raises(DataError):
            list(read_spectra(io.BytesIO(content[:end])))
