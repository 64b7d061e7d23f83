import contextlib
import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from specbridge_tools import forks, hdf5_process
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.hdf5_file import open_hdf5

# small files that were changed by chance until the library did not end on them
DAMAGED = sorted(Path(__file__).with_name("damaged_hdf5").glob("*.h5.gz"))
SECRET = b"a secret of 32 bytes, elsewhere."


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.h5"


def made(path, change):
    with h5py.File(path, "w") as file:
        file["plain"] = np.arange(3.0)
        change(file)
    return path


def refused(path, message):
    with pytest.raises(FormatError, match=message) as caught:
        open_hdf5(path, "shown.h5", expected="an index")
    assert str(caught.value).startswith("shown.h5: ")
    assert "secret" not in str(caught.value)


def test_what_our_files_hold_is_read(path):
    def change(file):
        file.create_dataset("chunked", (4, 2), "f2", maxshape=(None, 2), chunks=(2, 2))[:] = 1
        file.create_dataset("empty", (0, 2), "f4", maxshape=(None, 2), chunks=(8192, 2))
        file.create_dataset("packed", data=np.zeros(10**6, "i4"), chunks=(10**5,), compression="gzip", shuffle=True)
        file.create_dataset("text", data=["a", "\u00e4"], dtype=h5py.string_dtype())
        file["keys"] = np.array([b"AA", b"BB"])
        file["keys"].attrs["note"] = "of two letters"
        file.attrs.update({"format": "x", "n": 3})

    with open_hdf5(made(path, change), "shown.h5", expected="an index") as file:
        assert sorted(file.datasets) == ["chunked", "empty", "keys", "packed", "plain", "text"]
        assert file.datasets["text"][:].tolist() == ["a", "\u00e4"]
        assert file.datasets["chunked"][1:3].tolist() == [[1, 1], [1, 1]]
        assert file.datasets["packed"][10**6 - 2 :].tolist() == [0, 0]
        assert file.datasets["empty"][:].shape == (0, 2)
        assert file.datasets["keys"][:].tolist() == [b"AA", b"BB"]
        assert file.datasets["keys"].attributes == {"note": "of two letters"}
        in_one_block = {name for name, dataset in file.datasets.items() if dataset.offset is not None}
        assert in_one_block == {"keys", "plain", "text"}
        assert file.attributes == {"format": "x", "n": 3}


def test_other_files_are_named_with_what_was_expected(path):
    with pytest.raises(DataError, match="cannot be read"):
        open_hdf5(path, "shown.h5", expected="an index")
    path.write_bytes(b"")
    refused(path, "is empty, expected an index")
    path.write_bytes(b"id\tsmiles\n")
    refused(path, "is not an HDF5 file, expected an index")
    made(path, lambda file: None)
    os.truncate(path, 1000)
    refused(path, "is a truncated or damaged HDF5 file")


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (h5py.SoftLink("/plain"), "x is a soft link"),
        (h5py.ExternalLink("other.h5", "/plain"), "x is a link to another file"),
    ],
)
def test_links_are_refused(path, link, message):
    made(path.with_name("other.h5"), lambda file: None)
    refused(made(path, lambda file: file.__setitem__("x", link)), message)


def test_groups_and_types_are_refused(path):
    refused(made(path, lambda file: file.create_group("inner")), "inner is a group, not a dataset")
    refused(made(path, lambda file: file.__setitem__("itself", file["/"])), "itself is a group, not a dataset")
    refused(made(path, lambda file: file.__setitem__("type", np.dtype("f4"))), "type is a type, not a dataset")


@pytest.mark.timeout(20)
def test_values_in_another_file_are_never_read(path):
    """The other file is a pipe: whoever opened it would be seen."""
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    opened = threading.Event()

    def offer():
        with open(pipe, "wb") as stream:
            opened.set()
            stream.write(SECRET)

    def change(file):
        file.create_dataset("x", (4,), "f8", external=[(str(pipe), 0, 32)])

    threading.Thread(target=offer, daemon=True).start()
    refused(made(path, change), "dataset x has its values in another file")
    assert not opened.wait(0.2)
    with open(pipe, "rb") as stream:
        assert stream.read() == SECRET


def test_virtual_datasets_are_refused(path):
    made(path.with_name("other.h5"), lambda file: None)
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "plain", (3,))
    refused(made(path, lambda file: file.create_virtual_dataset("x", layout)), "dataset x is virtual")


@pytest.mark.parametrize("settings", [{"compression": "lzf"}, {"fletcher32": True}, {"scaleoffset": 3}])
def test_other_filters_are_refused(path, settings):
    refused(
        made(path, lambda file: file.create_dataset("x", data=np.arange(9), **settings)),
        "dataset x is packed with a filter other than gzip and shuffle",
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"shape": (10**9,), "chunks": (10,)},
        {"shape": (10**9,), "chunks": (10,), "compression": "gzip"},
        {"shape": (3,), "chunks": (10**8,), "compression": "gzip", "maxshape": (None,)},
    ],
)
def test_more_than_the_file_can_hold_is_refused(path, settings):
    refused(made(path, lambda file: file.create_dataset("x", dtype="f8", **settings)), "dataset x would be larger than")


def test_contiguous_values_must_lie_in_the_file(path):
    refused(made(path, lambda file: file.create_dataset("x", (10**9,), "f8")), "dataset x has no values")

    def beyond(file):
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((10**6,)), properties)

    made(path, beyond)
    os.truncate(path, 9000)
    refused(path, "truncated or damaged|dataset x would be larger than a file of 9000 bytes")


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(2, [("a", "f4"), ("b", "i4")]),
        np.zeros(2, bool),
        np.zeros(2, h5py.vlen_dtype("i4")),
        np.zeros(2, h5py.ref_dtype),
        np.array([b"x"], h5py.opaque_dtype("V1")),
    ],
    ids=["compound", "enum", "sequences", "references", "opaque"],
)
def test_other_types_are_refused(path, values):
    def as_dataset(file):
        file.create_dataset("x", values.shape, values.dtype)

    def as_attribute(file):
        file["plain"].attrs.create("x", np.zeros((), values.dtype), (), values.dtype)

    refused(made(path, as_dataset), "dataset x holds neither plain numbers nor text")
    if values.dtype.kind != "O":
        refused(made(path, as_attribute), "attribute x of dataset plain holds neither plain numbers nor text")


def read_all(path):
    """All rows of a file, one by one."""
    with open_hdf5(path, "shown.h5", expected="an index") as file:
        for dataset in file.datasets.values():
            for row in range(len(dataset)):
                dataset[row : row + 1]


@pytest.mark.slow
@pytest.mark.timeout(30)
@pytest.mark.parametrize("packed", DAMAGED, ids=lambda path: path.name)
def test_a_file_on_which_the_library_loops_ends_in_a_line(path, packed, new_children):
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    with pytest.raises(FormatError, match="is a truncated or damaged HDF5 file") as caught:
        read_all(path)
    assert "\n" not in str(caught.value)
    assert not new_children()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), r"the HDF5 library fails on it, signal 11"),
        (lambda: endless(), r"the HDF5 library comes to no end"),
        (lambda: bytearray(1 << 36), r"it needs more memory"),
        (lambda: 1 / 0, r"division by zero"),
    ],
    ids=["crash", "loop", "memory", "error"],
)
def test_whatever_the_library_does_is_one_line(path, failure, message, monkeypatch, new_children):
    """Also with rows, which are read late."""
    made(path, lambda file: None)
    monkeypatch.setattr(forks, "_CPU_SECONDS", 1)
    monkeypatch.setattr(hdf5_process, "_attributes", lambda *arguments: failure())
    refused(path, message)
    monkeypatch.undo()
    monkeypatch.setattr(forks, "_CPU_SECONDS", 1)
    monkeypatch.setattr(hdf5_process, "_send_rows", lambda *arguments: failure())
    with open_hdf5(path, "shown.h5", expected="an index") as file, pytest.raises(FormatError, match=message):
        file.datasets["plain"][:2]
    assert not new_children()


def endless():
    while True:
        pass


def test_signals_do_not_end_what_reads(path, monkeypatch):
    """A scheduler sends them to all processes: what is open stays open until this process has ended its work."""
    with open_hdf5(made(path, lambda file: None), "shown.h5", expected="an index") as file:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            os.kill(file._process, number)
        assert file.datasets["plain"][:].tolist() == [0, 1, 2]


def test_a_process_ends_with_the_one_that_started_it(path):
    """Even where another one was forked after it, and has all that was open then."""
    made(path, lambda file: None)
    code = (
        "import os, sys; from specbridge_tools.hdf5_file import open_hdf5\n"
        "files = [open_hdf5(sys.argv[1], 'x', expected='y') for _ in range(3)]\n"
        "print(*(file._process for file in files), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    for process in map(int, done.stdout.split()):
        ends_within(process, seconds=5)
    assert len(done.stdout.split()) == 3


def ends_within(process, *, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        with contextlib.suppress(FileNotFoundError):
            if ") Z " in Path(f"/proc/{process}/stat").read_text():
                return  # nobody waits for it
        time.sleep(0.05)
    raise AssertionError(f"process {process} is still there")


def test_texts_that_share_one_value_are_refused(path):
    """A few kilobytes that would become gigabytes."""

    def change(file):
        file.create_dataset("text", data=["x" * 5000] * 2, dtype=h5py.string_dtype())
        file.create_dataset("many", (4000,), h5py.string_dtype(), chunks=(4000,))[:] = "y"

    content = bytearray(made(path, change).read_bytes())
    with h5py.File(path) as file:
        one = file["text"].id.get_offset()
        many = file["many"].id.get_chunk_info(0).byte_offset
    content[many : many + 16 * 4000] = content[one : one + 16] * 4000
    path.write_bytes(content)
    with open_hdf5(path, "shown.h5", expected="an index") as file:
        assert file.datasets["many"][:5].tolist() == ["x" * 5000] * 5
        with pytest.raises(FormatError, match="the texts of dataset many are longer than the file"):
            file.datasets["many"][:]


def test_texts_that_share_one_value_are_refused_row_by_row(path):
    def change(file):
        file.create_dataset("text", data=["x" * 5000, "y"] + [""] * 98, dtype=h5py.string_dtype())

    content = bytearray(made(path, change).read_bytes())
    with h5py.File(path) as file:
        at = file["text"].id.get_offset()
    content[at : at + 1600] = content[at : at + 16] * 100
    path.write_bytes(content)
    with pytest.raises(FormatError, match="many share one"):
        read_all(path)


def test_what_is_packed_closer_than_measurements_is_refused(path):
    def change(file):
        dataset = file.create_dataset("x", (300, 1 << 20), "u1", chunks=(10, 1 << 20), compression=9)
        chunk = zlib.compress(bytes(10 << 20), 9)
        for row in range(0, 300, 10):
            dataset.id.write_direct_chunk((row, 0), chunk)

    refused(made(path, change), "dataset x would be larger than its .* bytes in the file can hold")


@pytest.mark.parametrize("value", [np.arange(4), [["a"]], h5py.Empty("f4")])
def test_attributes_are_single_values(path, value):
    message = "attribute a of (the file|dataset plain) is not a single value"
    refused(made(path, lambda file: file.attrs.__setitem__("a", value)), message)
    path.unlink()
    refused(made(path, lambda file: file["plain"].attrs.__setitem__("a", value)), message)


def test_attributes_that_are_no_text_are_readable(path):
    values = {"a": np.bytes_(b"ab"), "b": np.bytes_(b"a\xff"), "c": 1.5, "d": np.uint64(2**64 - 1), "e": float("inf")}
    with open_hdf5(made(path, lambda file: file.attrs.update(values)), "shown.h5", expected="an index") as file:
        assert file.attributes == {"a": "ab", "b": "a\ufffd", "c": 1.5, "d": 2**64 - 1, "e": float("inf")}
        assert file.attribute("d", int) == 2**64 - 1
        for name, kind, message in (("a", int, "is 'ab', expected a whole"), ("c", str, "is 1.5, expected a text")):
            with pytest.raises(FormatError, match=f"shown.h5: attribute {name} {message}"):
                file.attribute(name, kind)
        with pytest.raises(FormatError, match="attribute x is missing"):
            file.attribute("x", int)


def test_texts_that_are_not_utf8_and_datasets_without_values(path):
    def change(file):
        file.create_dataset("text", data=[b"a", b"\xff"], dtype=h5py.string_dtype())

    with open_hdf5(made(path, change), "shown.h5", expected="an index") as file:
        assert file.datasets["text"][:1].tolist() == ["a"]
        with pytest.raises(FormatError, match="a text of dataset text is not UTF-8"):
            file.datasets["text"][:]
    path.unlink()
    refused(made(path, lambda file: file.__setitem__("x", h5py.Empty("f4"))), "dataset x has no values")


def test_a_socket_is_no_file(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        with pytest.raises(DataError, match="cannot be read"):
            open_hdf5(path, "shown.h5", expected="an index")
