"""Published checkpoints: sizes from shapes, prefixes and heads, parity with the literal network."""

import argparse
import json
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, fourier_frequencies
from specbridge_tools.encoders.spectral.dreams.weights import convert_dreams, published_names, read_dreams
from specbridge_tools.encoders.spectral.features import spectrum_features
from specbridge_tools.errors import DataError, FormatError, MismatchError, UsageError
from specbridge_tools.provenance import sha256_file
from specbridge_tools.spectra.spectrum import Spectrum


def save_ckpt(state, path):
    torch.save({"state_dict": state, "hyper_parameters": {"args": argparse.Namespace(n_layers=7)}, "epoch": 1}, path)
    return path


def spectra():
    rng = np.random.default_rng(0)
    made = []
    for n in (1, 7, 55, 60, 99, 130):
        mz = np.sort(rng.uniform(50, 900, n))
        made.append(Spectrum("x", rng.uniform(100, 999), mz, rng.uniform(1, 9, n).astype(np.float32)))
    return made


def literal_tokens(literal_embedding, state, config, spectrum):
    """The published input made by hand: highest peaks in m/z order, padded to the fixed length."""
    order = np.sort(np.argsort(-spectrum.intensity, kind="stable")[: config.n_peaks])
    mz, intensity = np.zeros(config.n_peaks), np.zeros(config.n_peaks)
    mz[: len(order)] = spectrum.mz[order]
    intensity[: len(order)] = spectrum.intensity[order] / spectrum.intensity.max()
    return literal_embedding(state, config, spectrum.precursor_mz, mz.tolist(), intensity.tolist()), len(order)


def encode(encoder, some):
    with torch.inference_mode():
        return encoder.eval()(spectrum_features(some, n_peaks=encoder.n_peaks, fixed_width=encoder.fixed_width))


def relative_error(found, expected):
    return (torch.linalg.norm(found - expected) / torch.linalg.norm(expected)).item()


@pytest.mark.slow
def test_the_self_supervised_model_equals_the_literal_one(tmp_path, published_state, literal_embedding):
    state = published_state()
    path = save_ckpt(state, tmp_path / "ssl_model.ckpt")
    encoder = SPECTRUM_ENCODERS.create(f"dreams:{path}")
    assert (encoder.n_peaks, encoder.dimension, encoder.head) == (60, 32, None)
    found = encode(encoder, spectra())
    mean = encode(SPECTRUM_ENCODERS.create(f"dreams:{path},pooling=mean,n_peaks=40"), spectra())
    for row, mean_row, spectrum in zip(found, mean, spectra(), strict=True):
        tokens, _ = literal_tokens(literal_embedding, state, encoder.config, spectrum)
        assert relative_error(row, tokens[0]) < 1e-4
        config = DreamsConfig(**{**encoder.config.__dict__, "n_peaks": 40})
        tokens, n_real = literal_tokens(literal_embedding, state, config, spectrum)
        assert relative_error(mean_row, tokens[: 1 + n_real].mean(0)) < 1e-4


def test_lower_precision_is_near(tmp_path, published_state):
    path = save_ckpt(published_state(), tmp_path / "x.ckpt")
    for options in ("", ",pooling=mean"):
        encoder = SPECTRUM_ENCODERS.create(f"dreams:{path}{options}")
        expected, found = (torch.from_numpy(encoder.encode(spectra(), bfloat16=low)) for low in (False, True))
        for row, other in zip(expected, found, strict=True):
            assert 1e-5 < relative_error(other, row) < 0.05


def test_the_embedding_model_has_its_head_on_the_precursor(tmp_path, published_state, literal_embedding):
    state = published_state(prefix="backbone.", head=True)
    path = save_ckpt(state, tmp_path / "embedding_model.ckpt")
    encoder = SPECTRUM_ENCODERS.create(f"dreams:{path}")
    assert encoder.n_peaks == 100
    plain = {name.removeprefix("backbone."): tensor for name, tensor in state.items()}
    bare = encode(SPECTRUM_ENCODERS.create(f"dreams:{path},head=false"), spectra())
    for row, bare_row, spectrum in zip(encode(encoder, spectra()), bare, spectra(), strict=True):
        tokens, _ = literal_tokens(literal_embedding, plain, encoder.config, spectrum)
        assert relative_error(row, tokens[0] @ state["head.weight"].T + state["head.bias"]) < 1e-4
        assert relative_error(bare_row, tokens[0]) < 1e-4


@pytest.mark.parametrize("settings", [{}, {"prefix": "backbone.", "head": True}])
def test_conversion_keeps_every_number(tmp_path, published_state, settings):
    state = published_state(**settings)
    path = save_ckpt(state, tmp_path / "in.ckpt")
    weights = convert_dreams(path, tmp_path / "out.safetensors")
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        header = json.loads(file.metadata()["specbridge"])
        names = set(file.keys())
    assert header["format"] == "specbridge-dreams"
    assert header["source_sha256"] == sha256_file(path)
    assert "fourier_enc.b" in names
    assert not any(name.startswith(("ff_out", "ro_out", "backbone")) or " " in name for name in names)
    again = read_dreams(tmp_path / "out.safetensors")
    assert again.digest() == weights.digest()
    encoders = [SPECTRUM_ENCODERS.create(f"dreams:{file}") for file in (path, tmp_path / "out.safetensors")]
    first, second = (encode(encoder, spectra()) for encoder in encoders)
    assert torch.equal(first, second)
    with pytest.raises(UsageError, match="exists already"):
        convert_dreams(path, tmp_path / "out.safetensors")


def test_frequencies_under_their_other_name_alone(tmp_path, published_state):
    state = published_state()
    expected = state.pop("fourier_enc.b")
    weights = read_dreams(save_ckpt(state, tmp_path / "x.ckpt"))
    assert torch.equal(weights.tensors["fourier_enc.b"], expected)


def test_official_sizes_show_in_the_shapes(tmp_path):
    assert published_names(["fourier_enc.b", "ff_out.ff.0.weight", "ro_out.weight", "head.weight"]) == {
        "fourier_enc.b": "fourier_enc.b",
        "head.weight": "head.weight",
    }


def test_a_plain_safetensors_file_in_the_published_layout(tmp_path, published_state):
    state = {name: tensor.clone() for name, tensor in published_state().items()}
    save_file(state, tmp_path / "x.safetensors")
    assert SPECTRUM_ENCODERS.create(f"dreams:{tmp_path}/x.safetensors").config.n_layers == 3


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda state: state.pop("ff_peak.ff.0.weight"), FormatError, "ff_peak.ff.0.weight' is missing"),
        (lambda state: state.pop("transformer_encoder.scales.6.bias"), MismatchError, r"1 missing \(.*scales.6.bias\)"),
        (
            lambda state: state.update({"ff_peak.ff.3.weight": torch.ones(8, 8)}),
            MismatchError,
            r"1 left over \(.*ff_peak.ff.3.weight\)",
        ),
        (
            lambda state: state.update({"ff_peak.ff.0.bias": torch.ones(9)}),
            MismatchError,
            r"1 of another shape \(.*ff_peak.ff.0.bias 9, expected 8\)",
        ),
        (
            lambda state: state.update({"mz_tokenizer.weight": torch.ones(3, 3), "charge.bias": torch.ones(3)}),
            MismatchError,
            r"2 left over \(charge.bias, mz_tokenizer.weight\)",
        ),
        (
            lambda state: state.update({"head.0.weight": torch.ones(1, 32)}),
            MismatchError,
            r"over \(head.0.weight\)",
        ),
        (
            lambda state: state.update({"head.weight": torch.ones(5, 32)}),
            MismatchError,
            r"1 missing \(head.bias\); 1 of another shape \(head.weight 5 x 32, expected 32 x 32\)",
        ),
        (lambda state: state.clear(), FormatError, "without a state_dict"),
    ],
)
def test_other_architectures_are_refused(tmp_path, published_state, change, error, message):
    state = published_state()
    change(state)
    path = save_ckpt(state, tmp_path / "x.ckpt")
    with pytest.raises(error, match=message) as caught:
        SPECTRUM_ENCODERS.create(f"dreams:{path}")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        ("nothing.ckpt", DataError, "no such file, nor a name"),
        ("dreams-ssl", DataError, "sb-models fetch dreams-ssl"),
        ("{path},layers=3", UsageError, "unknown encoder option 'layers=3'"),
        ("{path},n_heads=5", UsageError, "not a multiple"),
        ("{path},pooling=max", UsageError, "pooling 'max'"),
        ("{folder}/text", FormatError, "is no safetensors file"),
    ],
)
def test_wrong_sources_and_options(tmp_path, monkeypatch, published_state, argument, error, message):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    path = save_ckpt(published_state(), tmp_path / "x.ckpt")
    (tmp_path / "text").write_text("no weights at all, just text")
    with pytest.raises(error, match=message):
        SPECTRUM_ENCODERS.create("dreams:" + argument.format(path=path, folder=tmp_path))


def test_what_does_not_fit_is_not_converted(tmp_path, published_state):
    state = published_state() | {"mz_tokenizer.weight": torch.ones(3, 3)}
    with pytest.raises(MismatchError, match="left over"):
        convert_dreams(save_ckpt(state, tmp_path / "x.ckpt"), tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.slow
def test_no_weights_are_drawn_to_be_replaced(tmp_path, published_state):
    path = save_ckpt(published_state(), tmp_path / "x.ckpt")
    code = "import sys, torch\n"
    code += "from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS\n"
    code += "before = torch.get_rng_state()\n"
    code += "SPECTRUM_ENCODERS.create(sys.argv[1])\n"
    code += "assert torch.equal(before, torch.get_rng_state())\n"
    code += "print('torch._dynamo' in sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code, f"dreams:{path}"], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_name_finds_its_file_in_a_store(tmp_path, monkeypatch, published_state):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SPECBRIDGE_SHARED", f"{tmp_path}/none:{tmp_path}/cluster")
    (tmp_path / "cluster/weights/dreams-ssl").mkdir(parents=True)
    save_ckpt(published_state(), tmp_path / "cluster/weights/dreams-ssl/ssl_model.ckpt")
    assert SPECTRUM_ENCODERS.create("dreams:dreams-ssl,pooling=mean").config.n_layers == 3


@pytest.mark.slow
def test_the_full_size_equals_the_literal_network(tmp_path, published_state, literal_embedding):
    """The published size with random weights, whose frequencies are the published ones."""
    full = {"n_layers": 7, "d_peak": 44, "d_fourier": 980, "fourier_hidden": 512, "fourier_depth": 5}
    state = published_state(frequencies=5997, **full)
    state["fourier_enc.b"].copy_(fourier_frequencies(DreamsConfig.official()))
    # small steps away from the first weights, as training takes them: else the bias alone decides the attention
    state = {name: 0.5 * tensor if "weight" in name else tensor for name, tensor in state.items()}
    convert_dreams(save_ckpt(state, tmp_path / "ssl_model.ckpt"), tmp_path / "ssl.safetensors")
    encoder = SPECTRUM_ENCODERS.create(f"dreams:{tmp_path}/ssl.safetensors")
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 95_543_384
    some = [spectra()[i] for i in (1, 5)]
    for row, spectrum in zip(torch.from_numpy(encoder.encode(some)), some, strict=True):
        tokens, _ = literal_tokens(literal_embedding, state, encoder.config, spectrum)
        assert relative_error(row, tokens[0]) < 1e-4
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
