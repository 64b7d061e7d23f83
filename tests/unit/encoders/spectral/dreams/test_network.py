"""The network against a slow, literal reading of the published description."""

import math

import pytest
import torch

from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork, fourier_frequencies


@pytest.fixture(scope="module")
def spectra():
    mz = torch.zeros(3, 12, dtype=torch.float64)
    intensity = torch.zeros(3, 12)
    generator = torch.Generator().manual_seed(3)
    for i, n in enumerate((12, 5, 1)):
        mz[i, :n] = torch.rand(n, generator=generator, dtype=torch.float64).sort().values * 400 + 50
        intensity[i, :n] = torch.rand(n, generator=generator)
    return torch.tensor([455.29, 301.14, 180.06], dtype=torch.float64), mz, intensity


def test_published_configuration_equals_the_literal_description(spectra, literal_embedding):
    torch.manual_seed(0)
    config = DreamsConfig.official(
        n_peaks=12, n_layers=3, d_peak=8, d_fourier=24, n_heads=4, fourier_hidden=16, fourier_depth=3
    )
    network = DreamsNetwork(config).eval()
    # weights as spread as trained ones, so that the bias and the padding matter
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    precursor_mz, mz, intensity = spectra
    with torch.no_grad():
        tokens, real = network(precursor_mz, mz, intensity)
    for i in range(3):
        expected = literal_embedding(
            network.state_dict(), config, precursor_mz[i].item(), mz[i].tolist(), intensity[i].tolist()
        )
        n_real = int(real[i].sum())
        error = torch.linalg.norm(tokens[i, :n_real] - expected[:n_real]) / torch.linalg.norm(expected[:n_real])
        assert error < 1e-5
        # one token stands for all padding
        for padding in expected[n_real:]:
            torch.testing.assert_close(tokens[i, -1], padding, rtol=1e-4, atol=1e-4)
    assert real.sum(1).tolist() == [13, 6, 2]
    with torch.no_grad():
        narrow, _ = network(precursor_mz[1:], mz[1:, :6], intensity[1:, :6])
        first, _ = network(precursor_mz, mz, intensity, n_out=1)
    torch.testing.assert_close(narrow[:, :6][real[1:, :6]], tokens[1:, :6][real[1:, :6]], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(first[:, 0], tokens[:, 0], rtol=1e-4, atol=1e-5)


def test_published_sizes_and_names():
    with torch.device("meta"):
        found = DreamsNetwork(DreamsConfig.official()).state_dict()
    shapes = {"fourier_enc.b": (1, 5997), "ff_peak.ff.0.weight": (44, 2), "ff_peak.ff.0.bias": (44,)}
    for i, (d_in, d_out) in zip((0, 3, 6, 9, 12), ((11994, 512), *[(512, 512)] * 3, (512, 980)), strict=True):
        shapes |= {f"ff_fourier.ff.{i}.weight": (d_out, d_in), f"ff_fourier.ff.{i}.bias": (d_out,)}
    for i in range(7):
        shapes[f"transformer_encoder.atts.{i}.weights"] = (4096, 1024)
        shapes[f"transformer_encoder.ffs.{i}.in_proj.weight"] = (4096, 1024)
        shapes[f"transformer_encoder.ffs.{i}.out_proj.weight"] = (1024, 4096)
    for i in range(15):
        shapes |= {f"transformer_encoder.scales.{i}.{part}": (1024,) for part in ("weight", "bias")}
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == shapes


def test_official_frequencies():
    frequencies = fourier_frequencies(DreamsConfig.official())[0]
    assert frequencies[0] == pytest.approx(1 / 2e-4)
    assert frequencies[4998] == pytest.approx(1 / (1e-4 * 9998))
    assert frequencies[4999] == pytest.approx(0.5)
    assert frequencies[-1] == pytest.approx(1 / 999)


def test_masked_padding_changes_nothing(spectra):
    torch.manual_seed(0)
    network = DreamsNetwork(DreamsConfig(d_peak=8, d_fourier=24, n_heads=4, fourier_hidden=16, n_layers=2)).eval()
    precursor_mz, mz, intensity = spectra
    with torch.no_grad():
        wide, _ = network(precursor_mz[1:2], mz[1:2], intensity[1:2])
        narrow, _ = network(precursor_mz[1:2], mz[1:2, :5], intensity[1:2, :5])
    torch.testing.assert_close(wide[:, :6], narrow, rtol=1e-5, atol=1e-5)


def test_geometric_phase_tells_a_tenth_of_a_millidalton():
    config = DreamsConfig()
    network = DreamsNetwork(config)
    mz = torch.tensor([[800.0], [800.0001]], dtype=torch.float64)
    near, far = network.fourier_enc(mz)
    shortest = torch.atan2(far[config.n_frequencies] - 0, far[0]) - torch.atan2(near[config.n_frequencies], near[0])
    assert math.remainder(shortest.item() - 2 * math.pi * 1e-4 / 0.004, 2 * math.pi) == pytest.approx(0, abs=1e-3)
