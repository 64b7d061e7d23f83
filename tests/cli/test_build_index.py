"""sb-build-index: files, pipes, exit status, and what is left behind."""

import os
import resource
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from specbridge_tools.cli.build_index import main
from specbridge_tools.embeddings.molecules import create_molecule_embeddings
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.search.index.reader import open_index

SMILES = ["CCO", "CCCO", "c1ccccc1", "NCC(=O)O", "CC(N)C(=O)O", "CCN", "C1CCCCC1", "CC(=O)O"]
TABLE = b"id\tsmiles\nethanol\tCCO\nglycine\tNCC(=O)O\nbad\tC1CC\nagain\tOCC\n"


def write_embeddings(path, names, *, dimension=32, repeat=1, first=0):
    """Molecules `first`... of pretended masses, with toy vectors of real SMILES."""
    encoder = ToyMoleculeEncoder(dimension=dimension)
    n = len(names) * repeat
    smiles = (names * repeat)[:n]
    ids = [f"{path.stem}-{i}" for i in range(n)]
    columns = {
        "embedding": np.tile(encoder.encode(names), (repeat, 1)),
        "inchikey14": np.array([f"{first + i:014d}" for i in range(n)], "S14"),
        "exact_mass": 50.0 + (np.arange(first, first + n) * 7919 % 10007) / 20,
        "formula": [f"C{first + i}" for i in range(n)],
        "truncated": np.zeros(n, "u1"),
    }
    columns |= {"id": ids, "all_ids": ids, "smiles": smiles, "isomeric_smiles": smiles, "name": [""] * n}
    with create_molecule_embeddings(path, encoder=encoder, dtype=np.dtype("f4")) as file:
        file.append(columns)
    return path


@pytest.fixture
def molecules(tmp_path):
    return write_embeddings(tmp_path / "molecules.h5", SMILES)


@pytest.fixture(scope="module")
def models(tmp_path_factory, save_toy_model):
    """Paths of an untrained model with a molecule head, and of one that belongs to another encoder."""
    folder = tmp_path_factory.mktemp("models")
    for name, dimension in [("head", 32), ("foreign", 16)]:
        save_toy_model(folder / f"{name}.safetensors", dimension=dimension, molecule_head_depth=1)
    return folder


def invoke(*arguments):
    """The command in this process: quicker than `run`, for what needs no process of its own."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_file_to_file(molecules, tmp_path):
    done = invoke(molecules, "-o", tmp_path / "index.h5")
    assert done.exit_code == 0
    assert done.stderr == "8 molecules read, 0 merged, 8 written\n"
    with open_index(tmp_path / "index.h5") as index:
        assert (np.diff(index.exact_mass.read(0, 8)) >= 0).all()
        assert sorted(index.texts["smiles"].read(0, 8)) == sorted(SMILES)
        assert index.dtype == np.float16


@pytest.mark.slow
def test_pipe_to_pipe_gives_the_same_bytes(run, molecules, tmp_path):
    run("sb-build-index", molecules, "-o", "index.h5")
    done = run("sb-build-index", "-", "-o", "-", "-q", stdin=molecules.read_bytes())
    assert done.stdout == (tmp_path / "index.h5").read_bytes()
    assert done.stderr == b""


@pytest.mark.slow
def test_from_table_to_index_in_one_pipe(tmp_path):
    (tmp_path / "molecules.tsv").write_bytes(TABLE)
    line = "sb-embed-mols molecules.tsv --encoder toy -o - | sb-build-index - -o - > index.h5"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with open_index(tmp_path / "index.h5") as index:
        assert index.texts["all_ids"].read(0, index.n) == ["ethanol;again", "glycine"]


@pytest.mark.slow
def test_several_inputs_in_little_memory(tmp_path):
    parts = [
        write_embeddings(tmp_path / f"{name}.h5", SMILES, repeat=400, first=first, dimension=128)
        for name, first in [("a", 0), ("b", 1600)]
    ]
    for memory in (1, 1024):
        assert invoke(*parts, "-o", tmp_path / f"{memory}.h5", "--memory", memory).exit_code == 0
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "1024.h5").read_bytes()
    with open_index(tmp_path / "1.h5") as index:
        assert index.n == 4800
        joined = [ids for ids in index.texts["all_ids"].read(0, index.n) if ";" in ids]
    assert len(joined) == 1600
    assert all(ids.startswith("a-") and ";b-" in ids for ids in joined)


@pytest.mark.graph
def test_other_dtype_and_a_graph(molecules, tmp_path):
    options = ("--dtype", "float32", "--hnsw", "--hnsw-metric", "ip", "--hnsw-m", 5, "--hnsw-ef-construction", 9)
    assert invoke(molecules, "-o", tmp_path / "index.h5", *options, "--hnsw-seed", 3).exit_code == 0
    with open_index(tmp_path / "index.h5") as index:
        found = dict(index.graph_attributes)
        assert index.dtype == np.float32
    assert len(found.pop("sha256")) == 64
    assert found == {"metric": "ip", "M": 5, "ef_construction": 9, "seed": 3}


@pytest.mark.slow
@pytest.mark.ivf
def test_ivf_lists(molecules, tmp_path, run):
    assert invoke(molecules, "-o", tmp_path / "index.h5", "--ivf", "--ivf-lists", 3).exit_code == 0
    told = run("sb-info", tmp_path / "index.h5").stdout.decode()
    assert "ivf.lists\t3\n" in told
    refused = invoke(molecules, "-o", tmp_path / "x.h5", "--ivf", "--hnsw")
    assert refused.exit_code == 2
    assert "give --hnsw or --ivf" in refused.stderr
    told = run("sb-merge", tmp_path / "index.h5", "-o", tmp_path / "merged.h5").stderr.decode()
    assert "its IVF lists are left out" in told


def test_the_molecule_head_belongs_to_the_index(molecules, models, tmp_path):
    assert invoke(molecules, "-o", tmp_path / "index.h5", "--model", models / "head.safetensors").exit_code == 0
    with open_index(tmp_path / "index.h5") as index:
        assert len(index.space.molecule_head_sha256) == 64


def assert_refused(done, status, *words):
    assert done.exit_code == status, done.stderr
    (line,) = done.stderr.splitlines()
    for word in words:
        assert str(word) in line


def test_a_model_of_another_encoder_is_refused_with_both_names(molecules, models, tmp_path):
    model = models / "foreign.safetensors"
    done = invoke(molecules, "-o", tmp_path / "index.h5", "--model", model)
    assert_refused(done, 3, molecules, model, "toy:dimension=32", "toy:dimension=16")
    assert os.listdir(tmp_path) == ["molecules.h5"]


def test_inputs_of_different_encoders_are_refused_with_both_names(molecules, tmp_path):
    other = write_embeddings(tmp_path / "other.h5", SMILES, dimension=16)
    assert_refused(invoke(molecules, other, "-o", tmp_path / "index.h5"), 3, molecules, other)


def test_an_output_that_exists_is_kept_without_force(molecules, tmp_path):
    (tmp_path / "index.h5").write_text("mine")
    assert_refused(invoke(molecules, "-o", tmp_path / "index.h5"), 2, "--force")
    assert (tmp_path / "index.h5").read_text() == "mine"
    assert invoke(molecules, "-o", tmp_path / "index.h5", "--force").exit_code == 0


def test_stdin_cannot_be_two_inputs(tmp_path):
    done = invoke("-", "-", "-o", tmp_path / "index.h5")
    assert done.exit_code == 2
    assert "only one input can be stdin" in done.stderr


def cut(path):
    os.truncate(path, os.path.getsize(path) // 2)


def attribute(name, value):
    def change(path):
        with h5py.File(path, "r+") as file:
            file.attrs[name] = value

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, ["truncated"]),
        (lambda path: path.write_bytes(b""), ["empty"]),
        (lambda path: path.write_text("id\tsmiles\n"), ["sb-embed-mols"]),
        (lambda path: path.unlink(), ["No such file"]),
        (attribute("format", "specbridge-index"), ["specbridge-index", "specbridge-molecules"]),
        (attribute("format_version", 7), ["version 7"]),
    ],
)
def test_broken_inputs_are_named_in_one_line(molecules, tmp_path, spoil, words):
    spoil(molecules)
    assert_refused(invoke(molecules, "-o", tmp_path / "index.h5"), 1, molecules, *words)
    assert not (tmp_path / "index.h5").exists()


def test_an_index_is_no_model(molecules, tmp_path):
    invoke(molecules, "-o", tmp_path / "index.h5")
    done = invoke(molecules, "-o", tmp_path / "second.h5", "--model", tmp_path / "index.h5")
    assert_refused(done, 1, tmp_path / "index.h5", "safetensors")


def test_a_closed_pipe_ends_quietly(molecules):
    line = f"sb-build-index {molecules} -q -o - | head -c 20 | wc -c; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60)
    assert done.stdout.split()[0] == b"20"
    assert done.stderr == b""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_behind(tmp_path, number, status):
    process = subprocess.Popen(["sb-build-index", "-", "-o", "index.h5"], cwd=tmp_path, stdin=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not os.listdir(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert any(name.startswith(".index.h5") for name in os.listdir(tmp_path))
    process.send_signal(number)
    process.stdin.close()
    assert process.wait(60) == status
    assert os.listdir(tmp_path) == []


def test_a_full_disk_leaves_nothing_behind(run, molecules, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = run("sb-build-index", molecules, "-o", "index.h5", status=None, preexec_fn=limit)
    assert done.returncode in (1, 75)
    (line,) = done.stderr.decode().splitlines()
    assert "index.h5" in line
    assert "File too large" in line
    assert os.listdir(tmp_path) == ["molecules.h5"]


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_no_space_left_is_status_75(run, small_disk, tmp_path):
    source = write_embeddings(tmp_path / "large.h5", SMILES, repeat=300)
    done = run("sb-build-index", source, "-o", small_disk / "index.h5", status=75)
    (line,) = done.stderr.decode().splitlines()
    assert f"{small_disk}/index.h5: cannot be written (No space left on device)" in line
    assert os.listdir(small_disk) == []
