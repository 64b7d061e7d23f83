"""What the readers of libraries have in common: parts of a file, gzip, files that are cut off, memory."""

import gzip
import io
import itertools
import json
import tracemalloc

import pytest
from library_files import GNPS, MASSBANK, MONA, MZSPECLIB, SIRIUS

from specbridge_tools.errors import DataError
from specbridge_tools.records import Rejection
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra import reasons
from specbridge_tools.spectra.mgf import write_mgf
from specbridge_tools.spectra.reader import count_spectra, read_spectra
from specbridge_tools.spectra.reading import Reading


def json_array(text, n):
    return json.dumps(json.loads(text) * n)


LIBRARIES = {
    "massbank": lambda n: MASSBANK * n,
    "sirius": lambda n: SIRIUS * n,
    "mzspeclib": lambda n: MZSPECLIB + MZSPECLIB[MZSPECLIB.index("<Spectrum=") :] * (n - 1),
    "gnps": lambda n: json_array(GNPS, n),
    "mona": lambda n: json_array(MONA, n),
}
FORMATS = {"gnps": "json", "mona": "json"}


@pytest.fixture(params=LIBRARIES)
def library(request):
    """(name, function that makes a library of n entries)."""
    return request.param, LIBRARIES[request.param]


def outcome(content, **settings):
    """(records, the error that ended them or None)."""
    records = []
    try:
        records.extend(read_spectra(io.BytesIO(content), **settings))
    except DataError as error:
        return records, error
    return records, None


def test_parts_are_the_whole(library, read, same_spectra):
    content = library[1](3).replace("MS2", "MS3", 1).replace("<Analyte", "MS:1000511|ms level=3\n<Analyte", 1).encode()
    whole = read(content)
    n = count_spectra(io.BytesIO(content))
    assert n >= 3
    assert n >= max(record.record for record in whole)
    for low, high in itertools.combinations(range(n + 1), 2):
        part = read(content, record_range=RecordRange(low, high))
        same_spectra(part, [record for record in whole if low < record.record <= high])


def test_gzip_and_line_ends(library, read, same_spectra):
    content = library[1](2)
    whole = read(content)
    same_spectra(read(gzip.compress(content.encode())), whole)
    same_spectra(read(content.replace("\n", "\r\n")), whole)


def test_written_as_mgf_they_are_read_the_same(library, read, same_spectra):
    spectra = read(library[1](1))
    stream = io.StringIO()
    write_mgf(spectra, stream)
    same_spectra(read(stream.getvalue()), spectra, ignore=("line", "record"))


def test_cut_off_anywhere(library, same_spectra):
    name, make = library
    content = make(2).encode()
    reading = Reading(FORMATS.get(name, name))
    whole, _ = outcome(content, reading=reading)
    for end in range(0, len(content.rstrip()) - 1, 7):
        records, error = outcome(content[:end], reading=reading)
        if name in FORMATS:
            assert error is not None or not content[:end].strip()
            same_spectra(records, whole[: len(records)])
            continue
        assert error is None
        n_sound = len(records) - 1 if name == "massbank" and records else max(len(records) - 2, 0)
        same_spectra(records[:n_sound], whole[:n_sound])
        if name == "massbank" and not content[:end].rstrip().endswith(b"//") and records:
            assert isinstance(records[-1], Rejection)
            assert records[-1].reason in (reasons.RECORD_NOT_ENDED, reasons.TEXT_OUTSIDE_RECORDS)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_peaks": 1}, reasons.TOO_MANY_PEAKS),
        ({"max_fields": 3}, reasons.TOO_MANY_FIELDS),
        ({"max_record_size": 300}, reasons.RECORD_TOO_LONG),
    ],
)
def test_limits_of_a_record(library, limits, reason):
    name, make = library
    if name in FORMATS and "max_record_size" in limits:
        return  # the whole file is then refused
    records, error = outcome(make(1).encode(), reading=Reading(**limits))
    assert error is None
    assert {record.reason for record in records if isinstance(record, Rejection)} <= {reason, reasons.RECORD_TOO_LONG}
    assert any(isinstance(record, Rejection) for record in records)


def test_a_field_that_comes_again_and_again_takes_no_time(read):
    comments = "COMMENT: " + "x" * 1000 + "\n"
    (spectrum,) = read(MASSBANK.replace("COMMENT: INTERNAL_ID 1006\n", comments * 9000))
    assert len(spectrum.metadata["comment"]) > 9_000_000


@pytest.mark.slow
def test_memory_stays_small(library):
    name, make = library
    content = make(1500).encode()
    tracemalloc.start()
    n_read = sum(1 for _ in read_spectra(io.BytesIO(content)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_read == 1500 * (3 if name == "sirius" else 1)
    assert peak < 12 << 20
