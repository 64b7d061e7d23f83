import itertools
import os

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.search.index.molecule_rows import TEXTS
from specbridge_tools.search.index.reader import open_index

MASSES = [100.5, 100.5, 101.25, 300.0, 300.0, 300.0, 450.75]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_what_is_written_is_read(opened, make_rows, dtype):
    rows = make_rows(MASSES, dtype=dtype)
    with opened(rows, molecule_head_sha256="b2" * 32) as index:
        assert (len(index), index.n, index.dtype) == (7, 7, np.dtype(dtype))
        assert index.space.molecule_head_sha256 == "b2" * 32
        assert index.space.dimension == 8
        assert np.array_equal(index.exact_mass.read(0, 7), rows.exact_mass)
        assert np.array_equal(index.inchikey14.read(2, 5), rows.inchikey14[2:5])
        assert np.array_equal(index.embedding.take(np.array([0, 3, 6])), rows.embedding[[0, 3, 6]])
        for name in TEXTS:
            assert index.texts[name].read(0, 7) == list(rows.texts[name])
            assert index.texts[name].take(np.array([1, 6])) == list(rows.texts[name][[1, 6]])
        assert index.texts["name"].read(3, 3) == [] == index.texts["name"].take(np.zeros(0, int))


def test_the_bytes_are_where_the_documentation_says(write_index, make_rows, tmp_path):
    rows = make_rows(MASSES)
    path = write_index(rows, tmp_path / "index.h5")
    with h5py.File(path) as file:
        assert {name: file.attrs[name] for name in ("format", "format_version", "n", "dimension")} == {
            "format": "specbridge-index",
            "format_version": 1,
            "n": 7,
            "dimension": 8,
        }
        assert all(file[name].chunks is None and file[name].compression is None for name in file)
        embedding = np.memmap(path, "<f2", "r", file["embedding"].id.get_offset(), (7, 8))
        assert np.array_equal(embedding, rows.embedding)
        ends = file["smiles_offsets"][:]
        blob = file["smiles_bytes"][:].tobytes()
        assert [blob[a:b].decode() for a, b in itertools.pairwise(ends)] == list(rows.texts["smiles"])


@pytest.mark.slow
@given(masses=st.lists(st.sampled_from([1.0, 1.5, 2.0, 2.5, 3.0]), min_size=1, max_size=20), bounds=st.data())
def test_mass_windows_hold_exactly_the_masses_between_the_bounds(opened, make_rows, masses, bounds):
    low = bounds.draw(st.sampled_from([0.5, 1.0, 1.25, 2.0, 3.0, 3.5]))
    high = bounds.draw(st.sampled_from([0.5, 1.0, 2.0, 2.75, 3.0, 3.5]))
    rows = make_rows(masses, dimension=1)
    with opened(rows) as index:
        first, in_window = index.mass_window(low, high)
    expected = np.flatnonzero((rows.exact_mass >= low) & (rows.exact_mass <= high))
    assert list(range(first, first + len(in_window))) == expected.tolist()
    assert in_window.tolist() == rows.exact_mass[expected].tolist()


def test_mass_windows_beyond_the_first_signposts(opened, make_rows):
    masses = np.repeat(np.arange(3000) / 4, 3)
    with opened(make_rows(masses, dimension=1, keys=["A" * 14] * 9000)) as index:
        for low, high in [(0, 0), (170.5, 170.75), (511.9, 513), (749.75, 800), (-5, 1e9), (600.1, 600.2)]:
            first, in_window = index.mass_window(low, high)
            assert first == np.searchsorted(masses, low)
            assert in_window.tolist() == masses[(masses >= low) & (masses <= high)].tolist()


def broken(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def drop(name):
    return lambda file: file.__delitem__(name)


def replaced(name, **settings):
    def change(file):
        del file[name]
        file.create_dataset(name, **settings)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda file: file.attrs.modify("format", "specbridge-molecules"),
            "is a specbridge-molecules file, not an index",
        ),
        (lambda file: file.attrs.__delitem__("format"), "an HDF5 file, but not an index"),
        (lambda file: file.attrs.modify("format_version", 2), "index version 2, this release reads 1"),
        (lambda file: file.attrs.__delitem__("encoder"), "attribute encoder is missing"),
        (drop("embedding"), "dataset embedding is missing"),
        (drop("name_offsets"), "dataset name_offsets is missing"),
        (replaced("exact_mass", data=np.zeros(3)), r"dataset exact_mass is float64 \(3,\), expected"),
        (replaced("inchikey14", data=np.zeros(7)), "dataset inchikey14 is float64"),
        (replaced("exact_mass", data=np.zeros(7), chunks=(7,)), "dataset exact_mass is not contiguous"),
    ],
)
def test_broken_files_are_refused_by_name(write_index, make_rows, tmp_path, change, message):
    path = write_index(make_rows(MASSES), tmp_path / "index.h5")
    broken(path, change)
    with pytest.raises(FormatError, match=message) as caught:
        open_index(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("n_bytes", [0, 5, 100, 5000])
def test_a_file_that_is_cut_short_is_refused(write_index, make_rows, tmp_path, n_bytes):
    path = write_index(make_rows(MASSES), tmp_path / "index.h5")
    os.truncate(path, n_bytes)
    with pytest.raises(FormatError, match=r"is empty|not an HDF5 file|truncated or damaged"):
        open_index(path)


def test_a_file_that_is_cut_short_while_open_is_an_error(write_index, make_rows, tmp_path):
    path = write_index(make_rows(np.arange(5000.0)), tmp_path / "index.h5")
    with open_index(path) as index:
        os.truncate(path, 9000)
        with pytest.raises(FormatError, match="ends too early"):
            index.embedding.read(4000, 5000)


def test_strings_that_are_not_text_are_an_error(write_index, make_rows, tmp_path):
    path = write_index(make_rows(MASSES), tmp_path / "index.h5")
    broken(path, lambda file: file["smiles_bytes"].__setitem__(slice(0, 3), 255))
    broken(path, lambda file: file["name_offsets"].__setitem__(3, 10**9))
    with open_index(path) as index:
        with pytest.raises(FormatError, match="not UTF-8"):
            index.texts["smiles"].read(0, 7)
        with pytest.raises(FormatError, match="offsets of its strings are broken"):
            index.texts["name"].read(0, 3)


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        open_index(tmp_path / "absent.h5")
    with pytest.raises(DataError, match="Is a directory"):
        open_index(tmp_path)
