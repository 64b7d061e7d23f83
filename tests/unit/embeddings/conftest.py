"""Models and files that embeddings are made of, without weights."""

import numpy as np
import pytest

from specbridge_tools.embeddings.embed_molecules import embed_molecules
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.records import Tally


class FakeModel:
    """An aligned model as far as embedding needs one: the vector tells precursor and number of peaks."""

    name = "fake"
    weights_sha256 = "11" * 32
    molecule_encoder = "toy:dimension=2"
    molecule_encoder_sha256 = "22" * 32
    molecule_head_sha256 = ""
    dimension = 2

    def __init__(self):
        self.batches = []

    def encode(self, spectra, *, batch_size):
        self.batches.append((len(spectra), batch_size))
        vectors = np.array([[spectrum.precursor_mz, spectrum.n_peaks] for spectrum in spectra], np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def fake_model():
    return FakeModel()


@pytest.fixture
def embed(tmp_path):
    """Molecules as text -> (path of their toy embeddings, counts, tally)."""

    def run(text, *, encoder=None, name="molecules.h5", **settings):
        source = tmp_path / "input"
        source.write_text(text)
        tally = Tally(noun="molecules")
        encoder = encoder or ToyMoleculeEncoder(dimension=8)
        path = tmp_path / name
        counts = embed_molecules(source, path, encoder=encoder, tally=tally, **{"threads": 1, **settings})
        return path, counts, tally

    return run
