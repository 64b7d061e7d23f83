"""sb-embed-spectra: every option, pipes, exit status, and what is left behind."""

import gzip
import json
import os

import numpy as np
import pytest
import torch

from specbridge_tools.bridge.checkpoint import load_model
from specbridge_tools.embeddings.spectra import open_spectrum_embeddings
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork
from specbridge_tools.encoders.spectral.features import spectrum_features
from specbridge_tools.encoders.spectral.toy import ToySpectrumEncoder
from specbridge_tools.records import Rejection
from specbridge_tools.spectra.reader import read_spectra

SPECTRA = """BEGIN IONS
TITLE=first
PEPMASS=100.5
CHARGE=1+
ADDUCT=[M+H]+
FORMULA=C5H10O2
50.1 10
60.2 20
END IONS

BEGIN IONS
TITLE=broken
50.1 10
END IONS

BEGIN IONS
TITLE=third
PEPMASS=200.25
CHARGE=1-
50.1 10
END IONS
"""
MSP = "Name: first\nPrecursorMZ: 100.5\nNum Peaks: 1\n50.1 10\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory, save_toy_model):
    """An untrained model over toy encoders."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    return save_toy_model(path, dimension=8, spectrum_dimension=16)


@pytest.fixture
def spectra(tmp_path):
    path = tmp_path / "spectra.mgf"
    path.write_text(SPECTRA)
    return path


def test_spectra_become_embeddings(call, spectra, model, tmp_path):
    done = call("sb-embed-spectra", "spectra.mgf", "-o", "s.h5", "--model", model, "--dtype", "float32")
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("3 spectra read, 1 rejected (")
    assert "2 written" in line
    loaded = load_model(model)
    usable = [record for record in read_spectra(spectra) if not isinstance(record, Rejection)]
    with open_spectrum_embeddings(tmp_path / "s.h5") as file:
        assert (file.model, file.model_sha256) == (str(model), loaded.weights_sha256)
        assert (file.encoder, file.weights_sha256) == (loaded.molecule_encoder, loaded.molecule_encoder_sha256)
        vectors = file.embedding[:]
        assert file.read("id").tolist() == ["first", "broken", "third"]
        assert [bool(reason) for reason in file.read("reason")] == [False, True, False]
    assert vectors[[0, 2]] == pytest.approx(loaded.encode(usable), abs=1e-6)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 0, 1], abs=1e-6)


@pytest.mark.slow
def test_a_pipe_from_stdin_to_stdout(run, call, spectra, model, tmp_path):
    call("sb-embed-spectra", spectra, "-o", "file.h5", "--model", model)
    done = run("sb-embed-spectra", "-", "-o", "-", "--model", model, "--quiet", stdin=gzip.compress(SPECTRA.encode()))
    assert done.stdout == (tmp_path / "file.h5").read_bytes()
    assert done.stderr == b""


def test_batch_size_device_and_threads_change_no_vector(call, spectra, model, tmp_path):
    settings = ("--model", model, "--dtype", "float32")
    call("sb-embed-spectra", spectra, "-o", "a.h5", *settings)
    call("sb-embed-spectra", spectra, "-o", "b.h5", *settings, "--batch-size", 1, "--device", "cpu", "--threads", 1)
    with open_spectrum_embeddings(tmp_path / "a.h5") as a, open_spectrum_embeddings(tmp_path / "b.h5") as b:
        assert a.embedding[:] == pytest.approx(b.embedding[:], abs=1e-6)


def plain_vectors(call, tmp_path, spec, *extra):
    call("sb-embed-spectra", "spectra.mgf", "-o", "plain.h5", "--model", spec, "--dtype", "float32", "--force", *extra)
    with open_spectrum_embeddings(tmp_path / "plain.h5") as file:
        return file.embedding[:], dict(file.attributes)


def test_plain_vectors_of_an_encoder(call, spectra, tmp_path):
    usable = [record for record in read_spectra(spectra) if not isinstance(record, Rejection)]
    vectors, attributes = plain_vectors(call, tmp_path, "toy:dimension=16")
    encoder = ToySpectrumEncoder(dimension=16)
    with torch.inference_mode():
        expected = encoder(spectrum_features(usable, n_peaks=encoder.n_peaks)).numpy()
    np.testing.assert_array_equal(vectors[[0, 2]], expected)
    assert not vectors[1].any()
    assert (attributes["model"], attributes["encoder"]) == ("toy:dimension=16", "toy:dimension=16")
    assert attributes["weights_sha256"] == attributes["model_sha256"] == encoder.weights_sha256


@pytest.mark.slow
def test_plain_vectors_of_published_weights(call, spectra, tmp_path):
    torch.manual_seed(0)
    sizes = {"n_layers": 2, "d_peak": 8, "d_fourier": 24, "fourier_hidden": 16, "fourier_depth": 3}
    network = DreamsNetwork(DreamsConfig.official(**sizes, frequencies="given", n_frequencies=7))
    torch.save({"state_dict": network.state_dict()}, tmp_path / "ssl_model.ckpt")
    usable = [record for record in read_spectra(spectra) if not isinstance(record, Rejection)]
    digests = set()
    for options, named in (("", "pooling=precursor,n_peaks=60"), (",pooling=mean,n_peaks=9", "pooling=mean,n_peaks=9")):
        spec = f"dreams:ssl_model.ckpt{options}"
        vectors, attributes = plain_vectors(call, tmp_path, spec)
        np.testing.assert_array_equal(vectors[[0, 2]], SPECTRUM_ENCODERS.create(spec).encode(usable))
        assert attributes["encoder"] == f"dreams:{named},n_heads=8"
        assert attributes["model"] == spec
        digests.add(attributes["weights_sha256"])
        shown = json.loads(call("sb-info", "plain.h5", "--format", "json").stdout)
        assert shown["encoder"] == attributes["encoder"]
    assert digests == {SPECTRUM_ENCODERS.create("dreams:ssl_model.ckpt").base_sha256}
    for options, status, message in (("", 0, b"2 written"), ("", 0, b"exists already"), (",n_peaks=9", 3, b"model")):
        spec = f"dreams:ssl_model.ckpt{options}"
        done = call("sb-embed-spectra", spectra, "-o", "s.h5", "--model", spec, "--skip-existing", status=status)
        assert message in done.stderr


def test_an_index_refuses_plain_vectors(call, spectra, model):
    (spectra.parent / "m.smi").write_text("CCO\nCCN\n")
    call("sb-embed-mols", "m.smi", "--encoder", "toy:dimension=8", "-o", "m.h5")
    call("sb-build-index", "m.h5", "-o", "i.h5")
    call("sb-embed-spectra", spectra, "-o", "plain.h5", "--model", "toy:dimension=8")
    done = call("sb-query", "plain.h5", "--index", "i.h5", "-o", "h.tsv", status=3)
    assert b"i.h5 belongs to toy:dimension=8" in done.stderr
    assert b"plain.h5 to toy:dimension=8" in done.stderr
    assert not (spectra.parent / "h.tsv").exists()


def test_format_rejects_strict_and_force(call, spectra, model, tmp_path):
    (tmp_path / "x.dat").write_text(MSP)
    call("sb-embed-spectra", "x.dat", "-o", "x.h5", "--model", model, "--input-format", "msp")
    call("sb-embed-spectra", spectra, "-o", "s.h5", "--model", model, "--rejects", "r.tsv")
    _, row = (tmp_path / "r.tsv").read_text().splitlines()
    assert row.split("\t")[:4] == [str(spectra), "2", "11", "broken"]
    done = call("sb-embed-spectra", spectra, "-o", "t.h5", "--model", model, "--strict", status=1)
    assert f"{spectra}: line 11: ".encode() in done.stderr
    assert not (tmp_path / "t.h5").exists()
    assert b"s.h5: exists already" in call("sb-embed-spectra", spectra, "-o", "s.h5", "--model", model, status=2).stderr
    call("sb-embed-spectra", spectra, "-o", "s.h5", "--model", model, "--force")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nosuch.mgf"], 1, "nosuch.mgf: cannot be read"),
        (["spectra.mgf", "--model", "nosuch"], 1, "nosuch"),
        (["spectra.mgf", "--model", "spectra.mgf"], 1, "spectra.mgf: is no safetensors file"),
        (["spectra.mgf", "--model", "massbins"], 2, "encoder massbins has new, random weights; name its weights"),
        (["spectra.mgf", "--model", "dreams:preset=official,n_layers=1"], 2, "has new, random weights"),
        (["spectra.mgf", "--model", "dreams:nosuch.ckpt"], 1, "nosuch.ckpt: no such file, nor a name"),
        (["spectra.mgf", "--device", "cuda:99"], 2, "device 'cuda:99' cannot be used here"),
        (["text"], 1, "text: is of no known format"),
        (["spectra.mgf", "--input-format", "raw"], 2, "'raw' is not one of"),
        ([], 2, "Missing argument 'SPECTRA'"),
    ],
)
def test_what_goes_wrong_is_one_line(call, spectra, model, tmp_path, arguments, status, message):
    (tmp_path / "text").write_text("hello\n")
    before = sorted(os.listdir(tmp_path))
    extra = [] if "--model" in arguments or not arguments else ["--model", model]
    done = call("sb-embed-spectra", *arguments, *extra, *(["-o", "s.h5"] if arguments else []), status=status)
    assert message.encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert sorted(os.listdir(tmp_path)) == before


def test_a_full_disk_is_status_75(call, spectra, model):
    done = call("sb-embed-spectra", spectra, "-o", "/dev/full", "--model", model, status=75)
    assert b"/dev/full: cannot be written (No space left on device)" in done.stderr
