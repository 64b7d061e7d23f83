import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from specbridge_tools.bridge.checkpoint import load_model, save_model
from specbridge_tools.device import pick_device
from specbridge_tools.errors import DataError, FormatError, MismatchError, SpecbridgeError, UsageError
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.weights.tensor_file import HEADER_KEY

TINY_DREAMS = "dreams:d_peak=8,d_fourier=24,n_heads=2,fourier_hidden=16,n_layers=2,n_peaks=8,mass_tokens=50"


def test_a_saved_model_encodes_the_same(make_model, pairs, tmp_path):
    model = make_model(molecule_head_depth=1).eval()
    with torch.no_grad():
        for parameter in model.molecule_head.parameters():
            parameter.add_(0.1)
    model.calibration = {"scale": 10.0, "null": 2.0}
    save_model(model, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.encode_features(pairs.features), model.encode_features(pairs.features))
    np.testing.assert_array_equal(
        loaded.encode_molecules(pairs.library.vectors), model.encode_molecules(pairs.library.vectors)
    )
    assert loaded.calibration == {"scale": 10.0, "null": 2.0}
    assert len(loaded.molecule_head_sha256) == len(loaded.weights_sha256) == 64
    assert loaded.molecule_encoder == "toy:dimension=8"


def test_rows_have_unit_norm_and_a_fresh_head_is_the_identity(make_model, pairs):
    model = make_model(molecule_head_depth=2)
    np.testing.assert_allclose(np.linalg.norm(model.encode_features(pairs.features), axis=1), 1, rtol=1e-5)
    placed = model.encode_molecules(pairs.library.vectors)
    vectors = pairs.library.vectors.astype(np.float32)
    np.testing.assert_allclose(placed, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["dreams:mass_tokens=50", "dreams:preset=official,n_layers=1,n_peaks=20", "toy"])
def test_a_vector_does_not_depend_on_what_is_encoded_beside_it(make_model, spec):
    model = make_model(spec)
    rng = np.random.default_rng(0)
    spectra = []
    for n in (1, 3, 4, 5, 20, 33, 59, 60, 61, 200, 2, 2, 7):
        mz = np.sort(rng.uniform(50, 400, n))
        spectra.append(Spectrum("x", 410.2, mz, rng.uniform(1, 9, n).astype(np.float32)))
    together = model.encode(spectra)
    for other, expected in (
        (np.concatenate([model.encode([one]) for one in spectra]), together),
        (model.encode(spectra[::-1]), together[::-1]),
        (model.encode(spectra * 7), np.tile(together, (7, 1))),
        (model.encode(spectra * 7)[5:31], model.encode((spectra * 7)[5:31])),
    ):
        np.testing.assert_array_equal(other, expected)


def test_half_the_size_is_nearly_the_same_model(make_model, pairs, tmp_path):
    model = make_model().eval()
    save_model(model, tmp_path / "whole")
    save_model(model, tmp_path / "half", half=True)
    assert (tmp_path / "half").stat().st_size < 0.75 * (tmp_path / "whole").stat().st_size
    loaded = load_model(tmp_path / "half")
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())
    cosine = (loaded.encode_features(pairs.features) * model.encode_features(pairs.features)).sum(axis=1)
    assert cosine.min() > 0.9999


def test_same_content_same_bytes(make_model, tmp_path):
    for name in ("a", "b"):
        save_model(make_model(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        save_model(make_model(), tmp_path / "a")


def rewrite(path, change_header=None, change_tensors=None):
    tensors = load_file(path)
    with open(path, "rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        header = json.loads(json.loads(handle.read(length))["__metadata__"][HEADER_KEY])
    (change_header or (lambda header: None))(header)
    (change_tensors or (lambda tensors: None))(tensors)
    save_file(tensors, path, metadata={HEADER_KEY: json.dumps(header)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "broken one"),
        (lambda path: path.write_bytes(b"no tensors at all"), "is no safetensors file"),
        (lambda path: save_file({"x": torch.zeros(1)}, path), "no specbridge-model"),
        (lambda path: rewrite(path, lambda h: h.update(format_version=7)), "version 7, this release reads 1"),
        (lambda path: rewrite(path, lambda h: h.update(format="specbridge-training")), "is a specbridge-training"),
    ],
)
def test_what_is_no_model_is_refused(make_model, tmp_path, change, message):
    path = tmp_path / "m.safetensors"
    save_model(make_model(), path)
    change(path)
    with pytest.raises(FormatError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("spec", ["massbins:width=8,n_fragments=3,n_losses=2", "toy", TINY_DREAMS])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("projector.enter.weight"), r"1 missing \(projector.enter.weight\)"),
        (lambda tensors: tensors.update(extra=torch.ones(2)), r"1 left over \(extra\)"),
        (
            lambda tensors: tensors.update({"projector.leave.bias": torch.ones(9)}),
            r"1 of another shape \(projector.leave.bias 9, expected 8\)",
        ),
        (lambda tensors: tensors.update(log_scale=torch.ones(1)), r"\(log_scale 1, expected scalar\)"),
    ],
)
def test_tensors_that_do_not_fit_the_configuration(make_model, tmp_path, spec, change, message):
    path = tmp_path / "m.safetensors"
    save_model(make_model(spec), path)
    rewrite(path, change_tensors=change)
    with pytest.raises(MismatchError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


def test_a_vocabulary_that_does_not_fit_is_refused(make_model, tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(make_model("massbins:width=8,n_fragments=3,n_losses=2"), path)
    rewrite(path, lambda header: header["config"]["encoder"].update(n_fragments=4))
    with pytest.raises(MismatchError, match=r"encoder.fragments.vectors.weight 4 x 8, expected 5 x 8"):
        load_model(path)


def test_a_missing_file_and_a_missing_device_are_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load_model(tmp_path / "nothing")
    with pytest.raises(UsageError, match="device 'gpu7'"):
        pick_device("gpu7")
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header["config"].update(dimension=-1), "dimension in its header is -1"),
        (lambda header: header["config"].update(projector_hidden=10**7), "describes no model|of another shape"),
        (lambda header: header["config"].update(projector_depth=10**6), "projector_depth in its header is 1000000"),
        (lambda header: header["config"].update(dropout=7.0), "its configuration describes no model"),
        (lambda header: header["config"].update(projector="nosuch"), "its configuration describes no model"),
        (lambda header: header["config"]["encoder"].update(bin_width=0), "its configuration describes no model"),
        (lambda header: header["config"]["encoder"].update(bin_width=1e-300), "describes no model|of another shape"),
        (lambda header: header["config"]["encoder"].update(name=["x"]), "name in its header is"),
        (lambda header: header["config"]["encoder"].update(name="nosuch"), "no spectral encoder 'nosuch'"),
        (lambda header: header.update(config=[1]), "config in its header is"),
        (lambda header: header.pop("config"), "its header has no config"),
        (lambda header: header.update(calibration={"scale": "x"}), "calibration in its header is no set"),
        (lambda header: header.update(training=None), "training in its header is None"),
    ],
)
def test_configurations_that_make_no_sense_are_one_line(make_model, tmp_path, change, message):
    path = tmp_path / "m.safetensors"
    save_model(make_model("massbins:width=8,n_fragments=3,n_losses=2"), path)
    rewrite(path, change)
    with pytest.raises(SpecbridgeError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("log_scale", torch.tensor(float("nan")), "tensor log_scale holds no finite numbers"),
        ("projector.leave.bias", torch.full((8,), torch.inf), "tensor projector.leave.bias holds no finite numbers"),
        ("projector.leave.bias", torch.ones(8, dtype=torch.int32), "is torch.int32, expected torch.float32"),
        ("encoder.losses.row", torch.full((110_001,), 3, dtype=torch.int32), "names rows that its table does not have"),
        ("encoder.losses.row", torch.full((110_001,), -1, dtype=torch.int32), "names rows that its table does not"),
    ],
)
def test_numbers_that_weights_cannot_be(make_model, tmp_path, name, value, message):
    path = tmp_path / "m.safetensors"
    save_model(make_model("massbins:width=8,n_fragments=3,n_losses=2"), path)
    rewrite(path, change_tensors=lambda tensors: tensors.update({name: value}))
    with pytest.raises(FormatError, match=message):
        load_model(path)
