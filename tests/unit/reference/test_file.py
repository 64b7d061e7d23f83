import h5py
import numpy as np
import pytest

from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.errors import FormatError, MismatchError
from specbridge_tools.reference.file import read_references
from specbridge_tools.reference.reference import Reference


def test_it_belongs_to_an_encoder(build):
    with pytest.raises(MismatchError, match=r"toy:dimension=32.*but the model to toy:dimension=8"):
        Reference.open(build(), encoder=ToyMoleculeEncoder(dimension=8))


def test_references_of_two_encoders_do_not_go_together(build):
    other = build(name="other.h5", encoder=ToyMoleculeEncoder(dimension=8))
    with pytest.raises(MismatchError, match="toy:dimension=8"):
        read_references([build(), other])


def replaced(path, name, values):
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = values


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("molecule", np.array([0, 0, 1, 1, 3], "<i4"), "molecule holds what is no value"),
        ("molecule", np.array([0, 0, 1, 1, -1], "<i4"), "molecule holds what is no value"),
        ("molecule", np.array([0, 0, 1, 1], "<i4"), "4,.*5 rows"),
        ("molecule", np.array([0, 0, 1, 1, 2], "<i8"), "another type"),
        ("precursor", np.array([0, 1, 1, 1, 1], "<i4"), "precursor holds"),
        ("polarity", np.array([2, 1, 1, 1, 1], "i1"), "polarity is 2"),
        ("n_peaks", np.array([3, 2, 3, 2, 3], "<u2"), "mz has 12 rows, but n_peaks says 13"),
        ("mz", np.arange(1, 13).astype("<i4"), "mz does not ascend"),
        ("intensity", np.zeros(12, "<u2"), "intensity holds"),
        ("accession_size", np.full(5, 3, "<u4"), "accession has 10 rows, but accession_size says 15"),
        ("licence", np.array([0, 0, 0, 0, 9], "<u4"), "licence holds"),
        ("embedding", np.full((3, 32), np.inf, "<f2"), "a finite number"),
        ("embedding", np.zeros((2, 32), "<f2"), "embedding has the shape"),
        ("inchikey14", np.array([b"A B", b"C", b"D"], "S14"), "the first block"),
    ],
)
def test_what_is_broken_is_refused(build, name, values, message):
    path = build()
    replaced(path, name, values)
    with pytest.raises(FormatError, match=message):
        read_references([path])


def test_a_dataset_that_is_missing_is_named(build):
    path = build()
    with h5py.File(path, "r+") as file:
        del file["bit"]
    with pytest.raises(FormatError, match="dataset bit is missing"):
        read_references([path])


def test_other_files_and_versions_are_refused(build, tmp_path):
    path = build()
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(FormatError, match="has format version 2, this release reads 1"):
        read_references([path])
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = "specbridge-index"
    with pytest.raises(FormatError, match=r"specbridge-index.*expected 'specbridge-reference'"):
        read_references([path])
    (tmp_path / "text").write_text("x")
    with pytest.raises(FormatError, match="sb-build-reference"):
        read_references([tmp_path / "text"])
