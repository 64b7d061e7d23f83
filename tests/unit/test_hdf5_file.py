import os
import socket
import threading

import h5py
import numpy as np
import pytest

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.hdf5_file import open_hdf5

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
        assert sorted(file) == ["chunked", "empty", "keys", "packed", "plain", "text"]
        assert file["text"].asstr()[:].tolist() == ["a", "\u00e4"]


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


def test_a_socket_is_no_file(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        with pytest.raises(DataError, match="cannot be read"):
            open_hdf5(path, "shown.h5", expected="an index")
