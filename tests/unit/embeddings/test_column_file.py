"""What is no whole embeddings file is refused by name."""

import errno
import io

import h5py
import numpy as np
import pytest

from specbridge_tools.embeddings import columns
from specbridge_tools.embeddings.molecules import LAYOUT, create_molecule_embeddings, open_molecule_embeddings
from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.errors import DataError, FormatError, TryAgainError
from specbridge_tools.streams import output_path

TABLE = "id\tsmiles\n" + "".join(f"m{i}\t{'C' * (i + 1)}\n" for i in range(30))


@pytest.fixture
def whole(embed):
    return embed(TABLE)[0]


def change(path, **changes):
    with h5py.File(path, "r+") as file:
        for name, value in changes.items():
            if name in file:
                del file[name]
                if value is not None:
                    file[name] = value
            elif value is None:
                del file.attrs[name]
            else:
                file.attrs[name] = value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "specbridge-index"}, "is 'specbridge-index', expected 'specbridge-molecules'; sb-embed-mols makes"),
        ({"format": None}, "is an HDF5 file of another program, expected 'specbridge-molecules'"),
        ({"format_version": 2}, "has format version 2, this release reads 1; make it again"),
        ({"format_version": None}, "has format version None"),
        ({"encoder": None}, "attribute encoder is missing"),
        ({"weights_sha256": None}, "attribute weights_sha256 is missing"),
        ({"n": None}, "attribute n is missing"),
        ({"n": 31}, r"has the shape \(30, 8\), but there are 31 rows"),
        ({"dimension": 9}, "not 9 dimensions"),
        ({"smiles": None}, "dataset smiles is missing"),
        ({"embedding": None}, "dataset embedding is missing"),
        ({"smiles": np.zeros(30)}, "dataset smiles has the type float64"),
        ({"exact_mass": np.zeros(30, "f4")}, "dataset exact_mass has the type float32"),
        ({"exact_mass": np.zeros(29)}, r"dataset exact_mass has the shape \(29,\), but there are 30 rows"),
        ({"embedding": np.zeros((30, 7), "f2")}, "not 8 dimensions"),
        ({"embedding": np.zeros((30, 8), "i8")}, "dataset embedding has the type int64"),
    ],
)
def test_what_does_not_belong_is_named(whole, changes, message):
    change(whole, **changes)
    with pytest.raises(FormatError, match=message) as caught:
        open_molecule_embeddings(whole)
    assert str(caught.value).startswith(f"{whole}: ")


def test_the_other_kind_is_refused(whole):
    with pytest.raises(FormatError, match="is 'specbridge-molecules', expected 'specbridge-spectra'"):
        open_spectrum_embeddings(whole)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file(whole, share):
    data = whole.read_bytes()
    whole.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError, match="is a truncated or damaged HDF5 file"):
        open_molecule_embeddings(whole)


@pytest.mark.slow
def test_damage_is_a_format_error_and_nothing_else(whole, tmp_path):
    data = whole.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(data)
        start = int(rng.integers(8, min(len(data), 20_000)))
        damaged[start : start + 40] = rng.bytes(40)
        (tmp_path / "damaged.h5").write_bytes(damaged)
        try:
            with open_molecule_embeddings(tmp_path / "damaged.h5") as file:
                for block in file.blocks(10):
                    assert len(block) == 10
        except FormatError:
            continue


@pytest.mark.parametrize(("data", "message"), [(b"", "is empty"), (b"id\tsmiles\n", "is not an HDF5 file")])
def test_no_hdf5_at_all(tmp_path, data, message):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FormatError, match=f"{message}, expected 'specbridge-molecules'"):
        open_molecule_embeddings(tmp_path / "x")


def test_what_cannot_be_opened(tmp_path):
    for path in (tmp_path, tmp_path / "nosuch"):
        with pytest.raises(DataError, match="cannot be read"):
            open_molecule_embeddings(path)


def test_columns_of_an_open_file(whole):
    with open_molecule_embeddings(whole) as file:
        assert len(file) == 30
        assert file.embedding[3:5].shape == (2, 8)
        assert file.inchikey14.dtype == np.dtype("U14")
        assert file.inchikey14[1] == "OTMSDBZUPAUEDD"
        assert file.exact_mass[0] == pytest.approx(16.0313, abs=1e-4)
        assert [len(block) for block in file.blocks(12)] == [12, 12, 6]


class FullDisk(io.FileIO):
    """A file that ends after so many bytes."""

    room = 3_000_000

    def write(self, data):
        if self.tell() + memoryview(data).nbytes > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_said_at_once_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "open", lambda path, mode, buffering=-1: FullDisk(path, "w+"), raising=False)
    n_written = 0

    def write():
        nonlocal n_written
        encoder = ToyMoleculeEncoder(dimension=64)
        with (
            output_path(tmp_path / "x.h5") as path,
            create_molecule_embeddings(path, encoder=encoder, dtype="f4") as file,
        ):
            for _ in range(1000):
                file.append(
                    {name: np.zeros((100, 64)) if name == "embedding" else ["1"] * 100 for name in LAYOUT.columns}
                )
                n_written += 1

    with pytest.raises(TryAgainError, match=r"x\.h5: cannot be written \(No space left on device\)"):
        write()
    assert 0 < n_written < 1000
    assert list(tmp_path.iterdir()) == []


def test_stdin(whole, monkeypatch):
    with open(whole, "rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        with open_molecule_embeddings("-") as file:
            assert file.name == "<stdin>"
            assert sum(len(block) for block in file.blocks(8)) == 30
