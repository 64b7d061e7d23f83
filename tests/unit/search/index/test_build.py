import types

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specbridge_tools.embeddings.molecules import create_molecule_embeddings
from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.search.index import build
from specbridge_tools.search.index.build import build_index, merge_indexes
from specbridge_tools.search.index.exact_scores import unit_rows
from specbridge_tools.search.index.hnsw import GraphOptions
from specbridge_tools.search.index.molecule_rows import TEXTS
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.index.sorted_runs import rows_in_memory

ENCODER = types.SimpleNamespace(name="toy:dimension=4", weights_sha256="a1" * 32, dimension=4)


def write_embeddings(path, molecules, *, encoder=ENCODER, seed=0):
    """(mass, key, formula) of each molecule -> embeddings file; ids name the file and the place."""
    rng = np.random.default_rng(seed)
    n = len(molecules)
    ids = [f"{path.stem}{i}" for i in range(n)]
    columns = {name: ids for name in ("id", "all_ids")}
    columns |= {name: [f"{name}{i}" for i in range(n)] for name in ("smiles", "isomeric_smiles", "name")}
    columns |= {"formula": [formula for _, _, formula in molecules], "truncated": np.zeros(n, "u1")}
    columns["inchikey14"] = np.array([key for _, key, _ in molecules], "S14")
    columns["exact_mass"] = np.array([mass for mass, _, _ in molecules])
    columns["embedding"] = rng.normal(size=(n, encoder.dimension)).astype("f4")
    with create_molecule_embeddings(path, encoder=encoder, dtype=np.dtype("f4")) as file:
        file.append(columns)
    return path


def random_molecules(n, seed):
    rng = np.random.default_rng(seed)
    return [(float(m), f"{k:014d}", "C") for m, k in zip(rng.uniform(50, 900, n), rng.permutation(n), strict=True)]


def content(path):
    with open_index(path) as index:
        columns = {name: index.texts[name].read(0, index.n) for name in TEXTS}
        columns["exact_mass"] = index.exact_mass.read(0, index.n).tolist()
        columns["inchikey14"] = index.inchikey14.read(0, index.n).tolist()
        return columns | {"embedding": index.embedding.read(0, index.n).tolist()}


def test_molecules_are_sorted_with_all_they_have(tmp_path):
    molecules = random_molecules(50, 1)
    source = write_embeddings(tmp_path / "m.h5", molecules)
    counts = build_index([source], tmp_path / "index.h5")
    assert (counts.n_read, counts.n_written) == (50, 50)
    stored = content(tmp_path / "index.h5")
    order = sorted(range(50), key=lambda i: molecules[i][0])
    assert stored["exact_mass"] == [molecules[i][0] for i in order]
    assert stored["inchikey14"] == [molecules[i][1].encode() for i in order]
    assert stored["smiles"] == [f"smiles{i}" for i in order]
    with h5py.File(source) as file:
        expected = unit_rows(file["embedding"][:][order], "float16")
    assert stored["embedding"] == expected.tolist()
    with open_index(tmp_path / "index.h5") as index:
        assert (index.space.encoder, index.space.weights_sha256, index.space.dimension) == (
            ENCODER.name, ENCODER.weights_sha256, 4,
        )  # fmt: skip


@pytest.mark.slow
@settings(max_examples=10)
@given(
    inputs=st.lists(
        st.lists(
            st.tuples(st.sampled_from([9.0, 9.0 + 1e-13, 10.0]), st.sampled_from(["A" * 14, "B" * 14]), st.just("C")),
            unique_by=lambda molecule: molecule[1:],
            min_size=1,
        ),
        min_size=1,
        max_size=5,
    ),
    n_most=st.integers(1, 3),
)
def test_any_memory_gives_the_same_index(tmp_path_factory, inputs, n_most):
    folder = tmp_path_factory.mktemp("build")
    sources = [write_embeddings(folder / f"{'abcde'[i]}.h5", molecules, seed=i) for i, molecules in enumerate(inputs)]
    build_index(sources, folder / "at-once.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specbridge_tools.search.index.sorted_runs.rows_in_memory", lambda *_: n_most)
        patch.setattr(build, "_MOST_RUNS", 2)
        build_index(sources, folder / "in-runs.h5")
    assert (folder / "in-runs.h5").read_bytes() == (folder / "at-once.h5").read_bytes()
    stored = content(folder / "at-once.h5")
    everyone = [
        (molecule[1], f"{'abcde'[i]}{j}") for i, molecules in enumerate(inputs) for j, molecule in enumerate(molecules)
    ]
    for key, first, all_ids in zip(stored["inchikey14"], stored["id"], stored["all_ids"], strict=True):
        assert all_ids.split(";")[0] == first
        assert set(all_ids.split(";")) <= {id_ for other, id_ in everyone if other == key.decode()}
    assert sorted(";".join(stored["all_ids"]).split(";")) == sorted(id_ for _, id_ in everyone)


def test_the_memory_bounds_the_rows():
    assert rows_in_memory(1, 512, "float16") == 2**20 // (2 * 1024 + 1200)
    assert rows_in_memory(1, 10**7, "float32") == 1


def test_the_molecule_head_of_the_model_is_applied(tmp_path):
    turn = np.eye(4, dtype="f4")[::-1]
    model = types.SimpleNamespace(
        name="m",
        dimension=4,
        molecule_encoder=ENCODER.name,
        molecule_encoder_sha256=ENCODER.weights_sha256,
        molecule_head_sha256="dd" * 32,
        encode_molecules=lambda vectors: vectors @ turn,
    )
    source = write_embeddings(tmp_path / "m.h5", random_molecules(9, 2))
    asked = []
    build_index([source], tmp_path / "turned.h5", pick_model=lambda *about: asked.append(about) or model)
    build_index([source], tmp_path / "plain.h5")
    assert [row[::-1] for row in content(tmp_path / "plain.h5")["embedding"]] == content(tmp_path / "turned.h5")[
        "embedding"
    ]
    with open_index(tmp_path / "turned.h5") as index:
        assert index.space.molecule_head_sha256 == "dd" * 32
    ((space, name),) = asked
    assert (space.encoder, space.molecule_head_sha256, name) == (ENCODER.name, "", str(source))


def test_inputs_of_different_encoders_are_refused_with_both_names(tmp_path):
    other = types.SimpleNamespace(name="toy:dimension=4", weights_sha256="ff" * 32, dimension=4)
    first = write_embeddings(tmp_path / "first.h5", random_molecules(3, 1))
    second = write_embeddings(tmp_path / "second.h5", random_molecules(3, 2), encoder=other)
    with pytest.raises(MismatchError, match=r"first\.h5 .*second\.h5"):
        build_index([first, second], tmp_path / "index.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.h5", "second.h5"]


def test_no_molecule_and_no_number_are_errors(tmp_path):
    empty = write_embeddings(tmp_path / "empty.h5", [])
    with pytest.raises(DataError, match="no molecules to index"):
        build_index([empty, empty], tmp_path / "index.h5")
    broken = write_embeddings(tmp_path / "broken.h5", random_molecules(3, 1))
    with h5py.File(broken, "r+") as file:
        file["embedding"][1, 2] = np.nan
    with pytest.raises(DataError, match=r"broken\.h5: row 2 of embedding is nan, expected a finite number"):
        build_index([broken], tmp_path / "index.h5")


def test_an_existing_index_stays_without_force(tmp_path):
    source = write_embeddings(tmp_path / "m.h5", random_molecules(3, 1))
    (tmp_path / "index.h5").write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        build_index([source], tmp_path / "index.h5")
    assert (tmp_path / "index.h5").read_text() == "mine"
    build_index([source], tmp_path / "index.h5", force=True)
    assert len(content(tmp_path / "index.h5")["id"]) == 3


@pytest.mark.graph
def test_indexes_are_merged_like_their_inputs(tmp_path):
    sources = [write_embeddings(tmp_path / f"{name}.h5", random_molecules(20, 3), seed=5) for name in "ab"]
    build_index(sources, tmp_path / "whole.h5", neighbours=GraphOptions(m=4))
    for source in sources:
        build_index([source], tmp_path / f"part-{source.name}")
    parts = [tmp_path / f"part-{source.name}" for source in sources]
    counts = merge_indexes(parts, tmp_path / "merged.h5", neighbours=GraphOptions(m=4))
    assert (counts.n_read, counts.n_written) == (40, 20)
    assert (tmp_path / "merged.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_indexes_of_different_spaces_or_dtypes_are_not_merged(tmp_path, write_index, make_rows):
    first = write_index(make_rows([1.0, 2.0]), tmp_path / "a.h5")
    other = write_index(make_rows([1.0, 2.0]), tmp_path / "b.h5", encoder="morgan")
    finer = write_index(make_rows([1.0, 2.0], dtype="float32"), tmp_path / "c.h5")
    with pytest.raises(MismatchError, match="morgan"):
        merge_indexes([first, other], tmp_path / "merged.h5")
    with pytest.raises(UsageError, match=r"float16.*float32"):
        merge_indexes([first, finer], tmp_path / "merged.h5")


def test_an_interrupted_build_leaves_nothing_behind(tmp_path, monkeypatch):
    source = write_embeddings(tmp_path / "m.h5", random_molecules(50, 1))
    monkeypatch.setattr("specbridge_tools.search.index.sorted_runs.rows_in_memory", lambda *_: 10)
    left = []

    class Interrupted:
        def advance(self, amount):
            left.append([path.name for path in tmp_path.glob(".index.h5.*/run-*.h5")])
            if len(left) == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index([source], tmp_path / "index.h5", display=Interrupted())
    assert sorted(left[-1]) == ["run-0.h5", "run-1.h5", "run-2.h5"]
    assert [path.name for path in tmp_path.iterdir()] == ["m.h5"]
