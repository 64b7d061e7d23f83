"""What the tests of commands share: an untrained model. `call` and `run` stand in `tests/conftest.py`."""

import pytest


@pytest.fixture(scope="session")
def save_toy_model():
    """Write an untrained model over toy encoders, always with the same weights: save_toy_model(path, dimension=8).

    Other settings are those of `ModelConfig`. Returns the path.
    """
    import torch

    from specbridge_tools.bridge.checkpoint import save_model
    from specbridge_tools.bridge.model import AlignedModel, ModelConfig
    from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder

    def save(path, *, dimension=32, spectrum_dimension=32, calibration=None, **settings):
        encoder = ToyMoleculeEncoder(dimension=dimension)
        defaults = {
            "encoder": {"name": "toy", "dimension": spectrum_dimension},
            "molecule_encoder": encoder.name,
            "molecule_encoder_sha256": encoder.weights_sha256,
            "dimension": dimension,
            "projector_hidden": 8,
            "projector_depth": 1,
        }
        torch.manual_seed(0)
        model = AlignedModel(ModelConfig(**{**defaults, **settings}))
        model.calibration = calibration
        save_model(model, path)
        return path

    return save
