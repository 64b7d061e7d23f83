import numpy as np
import pytest

from specbridge_tools.embeddings import molecules, spectra
from specbridge_tools.embeddings.columns import create_columns
from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.errors import FormatError, MismatchError
from specbridge_tools.parts import merge_hdf5
from specbridge_tools.parts.merge import merge_parts
from specbridge_tools.records import Tally
from specbridge_tools.search.index.build import build_index
from specbridge_tools.search.index.reader import open_index

MODEL = {"model": "default", "model_sha256": "aa", "encoder": "toy", "weights_sha256": "bb", "molecule_head_sha256": ""}


def write_molecules(path, rows, *, dtype="float16", **changes):
    """rows: (inchikey14, formula, ids)."""
    n = len(rows)
    columns = {
        "embedding": np.arange(2 * n).reshape(n, 2) + len(path.name),
        "id": [ids.split(";")[0] for _, _, ids in rows],
        "all_ids": [ids for _, _, ids in rows],
        "inchikey14": [key for key, _, _ in rows],
        "formula": [formula for _, formula, _ in rows],
        "exact_mass": np.arange(n) + 100.5,
        "truncated": np.zeros(n, np.uint8),
    }
    columns |= {name: [f"{name} {path.name} {i}" for i in range(n)] for name in ("smiles", "isomeric_smiles", "name")}
    attributes = {"encoder": "toy", "weights_sha256": "bb", "dimension": 2} | changes
    with create_columns(path, molecules.LAYOUT, attributes, dtype=dtype) as writer:
        writer.append(columns)
    return path


def write_spectra(path, ids, **changes):
    n = len(ids)
    columns = {
        "embedding": np.ones((n, 2)),
        "id": ids,
        "precursor_mz": np.arange(n) + 0.5,
        "adduct": ["[M+H]+"] * n,
        "charge": np.ones(n),
        "polarity": np.ones(n),
        "formula": [""] * n,
        "record": np.arange(1, n + 1),
        "line": np.arange(n) * 7 + 1,
        "reason": ["no peaks" if id == "bad" else "" for id in ids],
    }
    with create_columns(path, spectra.LAYOUT, MODEL | {"dimension": 2} | changes, dtype="float32") as writer:
        writer.append(columns)
    return path


def merge(sources, destination):
    tally = Tally()
    return merge_parts([str(source) for source in sources], str(destination), tally), tally


@pytest.mark.slow
@pytest.mark.parametrize("block", [1, 2, 4096])
def test_molecules_of_several_files_stand_once_with_all_ids(tmp_path, monkeypatch, block):
    monkeypatch.setattr(merge_hdf5, "BLOCK", block)
    first = write_molecules(tmp_path / "a.h5", [("K" * 14, "C2H6O", "a1;a2"), ("L" * 14, "CH4", "a3")])
    second = write_molecules(
        tmp_path / "bb.h5", [("M" * 14, "C", "b1"), ("K" * 14, "C2H6O", "b2;a2"), ("K" * 14, "C2H7O+", "b3")]
    )
    kind, tally = merge([first, second, first], tmp_path / "all.h5")
    assert kind == "molecule embeddings"
    assert (tally.n_read, tally.n_written) == (7, 4)
    with open_molecule_embeddings(tmp_path / "all.h5") as whole:
        assert whole.encoder == "toy"
        assert whole.embedding.dtype == np.float16
        assert whole.inchikey14.tolist() == ["K" * 14, "L" * 14, "M" * 14, "K" * 14]
        assert whole.read("all_ids").tolist() == ["a1;a2;b2", "a3", "b1", "b3"]
        assert whole.read("smiles").tolist() == ["smiles a.h5 0", "smiles a.h5 1", "smiles bb.h5 0", "smiles bb.h5 2"]
        assert whole.embedding[:].tolist() == [[4, 5], [6, 7], [5, 6], [9, 10]]
        assert whole.exact_mass.tolist() == [100.5, 101.5, 100.5, 102.5]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": "morgan"}, r"a\.h5 has encoder toy, .*b\.h5 has morgan"),
        ({"weights_sha256": "cc"}, "has weights_sha256 bb, .* has cc"),
        ({"dtype": "float32"}, "has type of the vectors float16, .* has float32"),
    ],
)
def test_molecules_of_other_encoders_are_refused(tmp_path, changes, message):
    first = write_molecules(tmp_path / "a.h5", [("K" * 14, "C", "a")])
    second = write_molecules(tmp_path / "b.h5", [("L" * 14, "C", "b")], **changes)
    with pytest.raises(MismatchError, match=message):
        merge([first, second], tmp_path / "all.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5", "b.h5"]


def test_spectra_keep_their_order_and_rejected_ones_and_number_on(tmp_path):
    first = write_spectra(tmp_path / "a.h5", ["x", "bad", "x"])
    second = write_spectra(tmp_path / "b.h5", ["x", "y"], model="/elsewhere/model.safetensors")
    kind, tally = merge([first, second], tmp_path / "all.h5")
    assert kind == "spectrum embeddings"
    assert tally.n_written == 5
    with open_spectrum_embeddings(tmp_path / "all.h5") as whole:
        assert whole.read("id").tolist() == ["x", "bad", "x", "x", "y"]
        assert whole.read("record").tolist() == [1, 2, 3, 4, 5]
        assert whole.read("reason").tolist() == ["", "no peaks", "", "", ""]
        assert whole.model == "default"


@pytest.mark.parametrize("name", ["model_sha256", "encoder", "weights_sha256", "molecule_head_sha256"])
def test_spectra_of_other_models_are_refused(tmp_path, name):
    parts = [write_spectra(tmp_path / "a.h5", ["x"]), write_spectra(tmp_path / "b.h5", ["x"], **{name: "zz"})]
    with pytest.raises(MismatchError, match=f"has {name} .*, .* has zz"):
        merge(parts, tmp_path / "all.h5")


@pytest.mark.slow
def test_merged_indexes_are_the_index_of_the_merged_embeddings(tmp_path):
    first = write_molecules(tmp_path / "a.h5", [("K" * 14, "C2H6O", "a1"), ("L" * 14, "CH4", "a3")])
    second = write_molecules(tmp_path / "bb.h5", [("M" * 14, "C", "b1"), ("K" * 14, "C2H6O", "b2")])
    for source in (first, second):
        build_index([source], source.with_suffix(".index"))
    kind, tally = merge([first.with_suffix(".index"), second.with_suffix(".index")], tmp_path / "all.index")
    assert kind == "index"
    build_index([first, second], tmp_path / "expected.index")
    with open_index(tmp_path / "all.index") as whole, open_index(tmp_path / "expected.index") as expected:
        assert whole.n == expected.n == tally.n_written
        np.testing.assert_array_equal(whole.exact_mass.read(0, whole.n), expected.exact_mass.read(0, whole.n))
        np.testing.assert_array_equal(whole.inchikey14.read(0, whole.n), expected.inchikey14.read(0, whole.n))


def test_a_truncated_part_is_named(tmp_path):
    first = write_molecules(tmp_path / "a.h5", [("K" * 14, "C", "a")])
    second = write_molecules(tmp_path / "b.h5", [("L" * 14, "C", "b")])
    second.write_bytes(second.read_bytes()[:3000])
    with pytest.raises(FormatError, match=r"b\.h5: "):
        merge([first, second], tmp_path / "all.h5")
    assert not (tmp_path / "all.h5").exists()
