"""sb-info: every kind of file by its content, as lines and as JSON."""

import gzip
import json
import os
import subprocess
import sys

import pytest
from safetensors.numpy import save_file

from specbridge_tools.cli.build_index import main as build_index
from specbridge_tools.cli.embed_mols import main as embed_mols
from specbridge_tools.cli.embed_spectra import main as embed_spectra
from specbridge_tools.cli.query import main as query
from specbridge_tools.encoders.molecular.morgan import fit_projection
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.provenance import sha256_file

MGF = "BEGIN IONS\nTITLE=a\nPEPMASS=75.04\nCHARGE=1+\nADDUCT=[M+H]+\n50.1 10\nEND IONS\nBEGIN IONS\n50 1\nEND IONS\n"
MSP = "Name: a\nPrecursorMZ: 75.04\nNum Peaks: 1\n50.1 10\n"
MZML = '<?xml version="1.0"?><mzML xmlns="http://psi.hupo.org/ms/mzml"><run><spectrumList count="0"/></run></mzML>'
TABLE = "id\tsmiles\nA\tCCO\nB\tNCC(=O)O\nC\t\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_toy_model):
    """A folder with one file of each kind, under names that say nothing."""
    folder = tmp_path_factory.mktemp("info")
    save_toy_model(folder / "model", dimension=8, spectrum_dimension=16)
    fit_projection(["C" * i for i in range(1, 9)], folder / "projection", bits=32, dimension=3)
    save_file({}, folder / "weights", metadata={"x": "y"})
    texts = {"tsv": TABLE, "csv": TABLE.replace("\t", ","), "smi": "CCO A\nC B\n", "mgf": MGF, "msp": MSP, "mzml": MZML}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "zipped").write_bytes(gzip.compress(MGF.encode()))

    def run(command, *arguments):
        arguments = [str(folder / name) if (folder / name).is_file() else name for name in arguments]
        output = arguments.index("-o") + 1
        arguments[output] = str(folder / arguments[output])
        command.main([*arguments, "--quiet"], standalone_mode=False)

    run(embed_mols, "tsv", "-o", "molecules", "--encoder", "toy:dimension=8")
    run(embed_spectra, "mgf", "-o", "spectra", "--model", "model")
    run(build_index, "molecules", "-o", "index", "--model", "model")
    run(query, "mgf", "--index", "index", "--model", "model", "-o", "hits", "--tolerance", "1Da")
    run(query, "mgf", "--index", "index", "--model", "model", "-o", "json", "--format", "jsonl")
    return folder


def described(call, path):
    return json.loads(call("sb-info", path, "--format", "json").stdout)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tsv", {"kind": "molecules (tsv)", "n": 2, "n_rejected": 1, "reasons": {"no structure": 1}}),
        ("csv", {"kind": "molecules (csv)", "n": 2, "n_rejected": 1}),
        ("smi", {"kind": "molecules (smi)", "n": 2, "n_rejected": 0}),
        ("mgf", {"kind": "spectra", "format": "mgf", "n": 1, "n_rejected": 1}),
        ("zipped", {"kind": "spectra", "format": "mgf", "n": 1, "n_rejected": 1}),
        ("msp", {"kind": "spectra", "format": "msp", "n": 1, "n_rejected": 0}),
        ("mzml", {"kind": "spectra", "format": "mzml", "n": 0, "n_rejected": 0}),
        (
            "molecules",
            {"kind": "molecule embeddings", "format": "specbridge-molecules", "format_version": 1, "n": 2,
             "encoder": "toy:dimension=8", "dimension": 8, "dtype": "float16", "n_truncated": 0,
             "weights_sha256": ToyMoleculeEncoder(dimension=8).weights_sha256},
        ),
        (
            "spectra",
            {"kind": "spectrum embeddings", "format": "specbridge-spectra", "n": 2, "n_rejected": 1,
             "encoder": "toy:dimension=8", "dimension": 8},
        ),
        (
            "index",
            {"kind": "index", "format": "specbridge-index", "n": 2, "encoder": "toy:dimension=8", "dimension": 8,
             "lowest_mass": pytest.approx(46.0419, abs=1e-4), "highest_mass": pytest.approx(75.0320, abs=1e-4)},
        ),
        ("hits", {"kind": "hits (tsv)", "n_queries": 2, "n_answered": 1, "n_candidates": 1}),
        ("json", {"kind": "hits (jsonl)", "n_queries": 2}),
        ("projection", {"kind": "molecule projection", "radius": 2, "bits": 32, "n_tensors": 2, "n_parameters": 128}),
        ("weights", {"kind": "weights", "n_tensors": 0}),
    ],
)  # fmt: skip
def test_kinds(call, files, name, expected):
    found = described(call, files / name)
    assert {key: found.get(key) for key in expected} == expected
    assert found["file"] == str(files / name)


def test_a_model_tells_configuration_and_hash(call, files):
    found = described(call, files / "model")
    assert (found["kind"], found["format"], found["format_version"]) == ("model", "specbridge-model", 1)
    assert found["created_by"].startswith("specbridge_tools ")
    assert found["config"]["molecule_encoder"] == "toy:dimension=8"
    assert found["sha256"] == sha256_file(files / "model")


def test_lines_for_people(call, files):
    lines = call("sb-info", files / "model").stdout.decode().splitlines()
    assert lines[:2] == [f"file\t{files / 'model'}", "kind\tmodel"]
    assert "config.molecule_encoder\ttoy:dimension=8" in lines
    assert all("\t" in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["molecules", "zipped", "model"])
def test_stdin(run, files, name):
    done = run("sb-info", "-", "--format", "json", stdin=(files / name).read_bytes())
    assert json.loads(done.stdout)["file"] == "<stdin>"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"hello, world\n", "x: "),
        (b"just text\n", "x: is of no known kind; it begins with 'just text'"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", "x: is of no known kind"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "x: is a truncated or damaged HDF5 file"),
        (b"PK\x03\x04aaaaaaaaaaaa", "x: is of no known kind"),
        (b"\x05\x00\x00\x00\x00\x00\x00\x00{nope", "x: is no safetensors file, or a broken one"),
    ],
)
def test_what_is_unknown_or_broken_is_status_1(call, tmp_path, data, message):
    (tmp_path / "x").write_bytes(data)
    done = call("sb-info", "x", status=1)
    assert message.encode() in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == b""


@pytest.mark.parametrize("name", ["molecules", "spectra", "index", "model", "projection"])
def test_truncated_files_are_status_1(call, files, tmp_path, name):
    data = (files / name).read_bytes()
    for share in (0.3, 0.99):
        (tmp_path / "cut").write_bytes(data[: int(len(data) * share)])
        done = call("sb-info", "cut", status=1)
        assert done.stderr.startswith(b"sb-info: error: cut: ")
        assert len(done.stderr.splitlines()) == 1


def test_missing_files(call):
    assert b"nosuch: cannot be read" in call("sb-info", "nosuch", status=1).stderr
    assert b"Missing argument 'FILE'" in call("sb-info", status=2).stderr


def test_help_is_quick_and_imports_little():
    code = (
        "import sys; from specbridge_tools.cli import info, embed_mols, embed_spectra; "
        "print([name for name in ('torch', 'rdkit', 'numpy', 'h5py') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=os.environ)
    assert done.stdout == b"[]\n"
