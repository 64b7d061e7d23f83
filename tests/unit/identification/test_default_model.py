import io

import pytest

from specbridge_tools.bridge.checkpoint import save_model
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.embeddings.space import Space
from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.identification.default_model import model_for_molecules, model_for_spectra
from specbridge_tools.search.queries.source import QuerySource

SPACE = Space("toy:dimension=4", "a1" * 32, "", 4)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """A function that saves a model, as the one that ships too, and returns its path."""

    def save(depth, encoder=SPACE.encoder):
        config = ModelConfig(
            encoder={"name": "toy", "dimension": 4},
            molecule_encoder=encoder,
            molecule_encoder_sha256=SPACE.weights_sha256,
            dimension=4,
            projector_hidden=4,
            projector_depth=1,
            molecule_head_depth=depth,
        )
        path = tmp_path / "model.safetensors"
        save_model(AlignedModel(config), path, force=True)
        return path

    path = tmp_path / "model.safetensors"
    monkeypatch.setattr("specbridge_tools.pretrained.MODEL", path)
    return save


def test_without_a_model_vectors_stay_as_they_are(saved):
    assert model_for_molecules(SPACE, "m.h5") is None


def test_the_shipped_head_is_for_its_own_encoder_alone(saved):
    saved(1)
    assert model_for_molecules(SPACE, "m.h5").molecule_head_sha256
    saved(1, encoder="other")
    assert model_for_molecules(SPACE, "m.h5") is None
    saved(0)
    assert model_for_molecules(SPACE, "m.h5") is None


def test_a_named_model_must_belong_to_the_vectors(saved):
    assert model_for_molecules(SPACE, "m.h5", path=saved(0)).dimension == 4
    with pytest.raises(MismatchError, match=r"m\.h5 belongs to toy.*model\.safetensors to other"):
        model_for_molecules(SPACE, "m.h5", path=saved(0, encoder="other"))


def test_spectra_need_a_model_and_embeddings_do_not(saved):
    starts = (b"BEGIN IONS", b"\x89HDF\r\n\x1a\n")
    spectra, embeddings = (QuerySource(io.BufferedReader(io.BytesIO(start)), name="q") for start in starts)
    assert model_for_spectra(embeddings) is None
    with pytest.raises(DataError):
        model_for_spectra(spectra)
    path = saved(0)
    assert model_for_spectra(spectra).name == "default"
    assert model_for_spectra(embeddings, path=path).name == str(path)
