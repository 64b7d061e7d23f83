"""What the tests of encoders share: the literal network, and random weights in the published layout."""

import importlib.util
from pathlib import Path

import pytest
import torch

from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork

SMALL = {"n_layers": 3, "d_peak": 8, "d_fourier": 24, "n_heads": 8, "fourier_hidden": 16, "fourier_depth": 3}


@pytest.fixture(scope="session")
def literal_embedding():
    path = Path(__file__).with_name("spectral") / "dreams" / "dreams_literal.py"
    spec = importlib.util.spec_from_file_location("dreams_literal", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.literal_embedding


@pytest.fixture(scope="session")
def published_state():
    """{name: tensor} of a small network under the published names, weights as spread as trained ones."""

    def make(*, prefix="", head=False, frequencies=41, seed=0, **changes):
        torch.manual_seed(seed)
        config = DreamsConfig.official(**{**SMALL, "frequencies": "given", "n_frequencies": frequencies, **changes})
        network = DreamsNetwork(config)
        with torch.no_grad():
            network.fourier_enc.b.copy_(torch.rand(1, frequencies) * 20)
            for parameter in network.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        state = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
        state[f"{prefix}fourier_enc.Fourier frequencies"] = state[f"{prefix}fourier_enc.b"]
        state[f"{prefix}ff_out.ff.0.weight"] = torch.randn(5, config.width)
        state[f"{prefix}ro_out.weight"] = torch.randn(1, 2 * config.width)
        if head:
            state["head.weight"] = torch.randn(config.width, config.width) / config.width**0.5
            state["head.bias"] = torch.randn(config.width)
        return state

    return make
