"""A model in a process of its own: the same vectors, the same complaints, and no process left behind."""

import numpy as np
import pytest

from specbridge_tools.bridge.checkpoint import load_model, save_model
from specbridge_tools.bridge.model_process import ModelProcess
from specbridge_tools.embeddings.space import Space
from specbridge_tools.errors import FormatError
from specbridge_tools.spectra.spectrum import Spectrum

SPECTRA = [
    Spectrum("a", 88.1, np.array([29.04, 57.03]), np.array([1, 2], np.float32), adduct="[M+H]+", record=1),
    Spectrum("b", 104.2, np.array([41.01]), np.ones(1, np.float32), record=2),
]


def test_it_answers_as_the_model_does(make_model, tmp_path, new_children):
    model = make_model()
    model.calibration = {"scale": 10.0, "null": 2.0}
    save_model(model, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    with ModelProcess(tmp_path / "m.safetensors") as process:
        assert Space.of_model(process) == Space.of_model(loaded)
        assert (process.name, process.weights_sha256) == (loaded.name, loaded.weights_sha256)
        assert process.calibration == loaded.calibration
        assert process.encode(SPECTRA, batch_size=1).tobytes() == loaded.encode(SPECTRA).tobytes()
    assert new_children() == []


def test_what_is_wrong_with_the_model_is_raised_here(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(bytes(8))
    with (
        ModelProcess(tmp_path / "m.safetensors") as process,
        pytest.raises(FormatError, match=r"m\.safetensors: .*no safetensors") as raised,
    ):
        process.encode(SPECTRA)
    assert "\n" not in str(raised.value)
