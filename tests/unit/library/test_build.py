import numpy as np
import pytest
from small_library import N_MOLECULES

from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.library.build import Target, _build_from_structures, build_library, reads_packed_bits
from specbridge_tools.library.packed import read_columns, read_facts
from specbridge_tools.progress import SilentProgress
from specbridge_tools.search.index.reader import open_index


class Counting(SilentProgress):
    def __init__(self):
        self.n = 0

    def advance(self, amount=1):
        self.n += amount


def target_of(encoder):
    return Target("model", encoder.name, encoder.weights_sha256)


@pytest.mark.bytes
@pytest.mark.parametrize("spec", ["default", "morgan"])
def test_the_packed_bits_give_the_index_that_the_structures_give(spec, small, tmp_path):
    facts, encoder = read_facts(small), MOLECULE_ENCODERS.create(spec)
    assert reads_packed_bits(facts, encoder)
    display = Counting()
    build_library(facts, tmp_path / "bits.h5", target_of(encoder), encoder, threads=2, display=display)
    _build_from_structures(
        read_columns(facts), tmp_path / "structures.h5", target_of(encoder), encoder, threads=1,
        display=SilentProgress(),
    )  # fmt: skip
    assert (tmp_path / "bits.h5").read_bytes() == (tmp_path / "structures.h5").read_bytes()
    assert display.n == N_MOLECULES


@pytest.mark.parametrize("spec", ["toy:dimension=8", "morgan:counts=true", "morgan:radius=3", "morgan:bits=512"])
def test_other_encoders_read_the_structures(spec, small, tmp_path):
    facts, encoder = read_facts(small), MOLECULE_ENCODERS.create(spec)
    assert not reads_packed_bits(facts, encoder)
    build_library(facts, tmp_path / "i.h5", target_of(encoder), encoder, threads=1)
    with open_index(tmp_path / "i.h5") as index:
        assert index.space.encoder == encoder.name
        assert index.n == N_MOLECULES
        smiles = index.texts["smiles"].read(0, index.n)
        found = index.embedding.read(0, index.n).astype(float)
        assert index.texts["id"].read(0, index.n)[-1] == "pubchem:3672"
        assert index.texts["name"].read(0, index.n)[-1] == "ibuprofen"
    vectors = encoder.encode(smiles).astype(np.float16).astype(float)
    norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    assert np.allclose(found, vectors / norms, atol=1e-3)
