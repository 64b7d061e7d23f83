"""Commands in this very process: quick, for the many cases that need neither a pipe nor a signal."""

import importlib
import logging
import signal
import types

import pytest


@pytest.fixture
def call(tmp_path, monkeypatch, capfdbinary):
    """Run a command with the arguments in the empty folder `tmp_path`: call("sb-info", "x.h5", status=1).

    Returns what `run` does: stdout, stderr (bytes) and returncode, which must be the given status.
    """
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def call_command(name, *arguments, status=0):
        module = importlib.import_module(f"specbridge_tools.cli.{name.removeprefix('sb-').replace('-', '_')}")
        handler = signal.getsignal(signal.SIGTERM)
        capfdbinary.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                module.main.main([str(argument) for argument in arguments], prog_name=name)
        finally:
            signal.signal(signal.SIGTERM, handler)
            root.handlers[:], root.level = before
        out, err = capfdbinary.readouterr()
        code = ended.value.code or 0
        assert code == status, err.decode(errors="replace")
        return types.SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return call_command


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
