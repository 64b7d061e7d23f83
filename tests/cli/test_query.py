"""sb-query: what comes out of files and pipes, exit status, and what is left behind."""

import csv
import gzip
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from specbridge_tools.cli.build_index import main as build_index
from specbridge_tools.cli.embed_spectra import main as embed_spectra
from specbridge_tools.cli.query import main
from specbridge_tools.embeddings.molecules import create_molecule_embeddings
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.hits.hits import COLUMNS
from specbridge_tools.molecules.formula import mass_of_formula

PROTON = 1.007276466
MOLECULES = {
    "CCCCO": "C4H10O", "CCOCC": "C4H10O", "CC(C)CO": "C4H10O", "NCC(=O)O": "C2H5NO2", "c1ccccc1": "C6H6",
    "CC(N)C(=O)O": "C3H7NO2", "CNCC(=O)O": "C3H7NO2",
}  # fmt: skip


def peaks(seed):
    return "".join(f"{mz:.4f} {i + 1}\n" for i, mz in enumerate(np.random.default_rng(seed).uniform(30, 70, 5)))


def record(title, formula, seed, *, fields="ADDUCT=[M+H]+\nCHARGE=1+\n", named=True):
    formula_line = f"FORMULA={formula}\n" if named else ""
    mz = mass_of_formula(formula) + PROTON
    return f"BEGIN IONS\nTITLE={title}\nPEPMASS={mz}\n{fields}{formula_line}{peaks(seed)}END IONS\n\n"


SPECTRA = (
    record("butanol", "C4H10O", 1)
    + "BEGIN IONS\nTITLE=broken\nPEPMASS=0\n50 1\nEND IONS\n\n"
    + record("nothing", "C30H62", 2)
    + record("no adduct", "C3H7NO2", 3, fields="CHARGE=1+\n", named=False)
)
MSP = f"""Name: butanol
PrecursorMZ: {mass_of_formula("C4H10O") + PROTON}
Precursor_type: [M+H]+
Num Peaks: 5
{peaks(1)}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_toy_model):
    """A folder with spectra, an index of seven molecules, the model it belongs to and one with a molecule head."""
    folder = tmp_path_factory.mktemp("query")
    (folder / "spectra.mgf").write_text(SPECTRA)
    encoder = ToyMoleculeEncoder()
    smiles = list(MOLECULES)
    columns = {
        "embedding": encoder.encode(smiles),
        "inchikey14": np.array([f"{'KEYOFMOLECULE'}{letter}" for letter in "ABCDEFG"], "S14"),
        "exact_mass": np.array([mass_of_formula(formula) for formula in MOLECULES.values()]),
        "formula": list(MOLECULES.values()),
        "truncated": np.zeros(len(smiles), "u1"),
        "name": [f"molecule {i}" for i in range(len(smiles))],
    }
    columns |= {name: [f"M{i}" for i in range(len(smiles))] for name in ("id", "all_ids")}
    columns |= {name: smiles for name in ("smiles", "isomeric_smiles")}
    with create_molecule_embeddings(folder / "molecules.h5", encoder=encoder, dtype=np.dtype("f4")) as file:
        file.append(columns)
    calibration = {"scale": 5.0, "none": 0.0, "none_log_candidates": 0.1, "none_log_top": -0.1}
    save_toy_model(folder / "model.safetensors", calibration=calibration)
    save_toy_model(folder / "headed.safetensors", calibration=calibration, molecule_head_depth=1)
    arguments = [str(folder / "molecules.h5"), "-o", str(folder / "index.h5"), "-q"]
    if importlib.util.find_spec("hnswlib"):
        arguments.append("--hnsw")
    assert CliRunner().invoke(build_index, arguments).exit_code == 0
    return folder


@pytest.fixture
def ask(files):
    """Run the command in this process, on the files unless told otherwise: quicker than `run`."""

    def invoke(*arguments, spectra="spectra.mgf", index="index.h5", model="model.safetensors", **settings):
        given = [
            "-" if spectra == "-" else files / spectra,
            "--index",
            files / index,
            *(["--model", files / model] if model else []),
            *arguments,
        ]
        return CliRunner().invoke(main, [str(argument) for argument in given], **settings)

    return invoke


def table(done):
    assert done.exit_code == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout), delimiter="\t"))


def test_every_record_is_answered(ask, tmp_path):
    done = ask("--rejects", tmp_path / "rejects.tsv")
    rows = table(done)
    assert tuple(rows[0]) == COLUMNS
    assert [row["query_id"] for row in rows] == ["butanol"] * 3 + ["broken", "nothing"] + ["no adduct"] * 2
    assert {row["smiles"] for row in rows[:3]} == {"CCCCO", "CCOCC", "CC(C)CO"}
    assert [float(row["score"]) for row in rows[:3]] == sorted((float(row["score"]) for row in rows[:3]), reverse=True)
    assert [row["reason"] for row in rows[3:5]] == ["precursor not positive", "no candidate within 10 ppm"]
    assert {row["adduct"] for row in rows[5:]} == {"[M+H]+"}
    assert all(0 < float(row["probability"]) < 1 for row in rows if row["score"])
    assert all(abs(float(row["mass_error_ppm"])) < 0.1 for row in rows if row["score"])
    assert done.stderr.startswith("4 spectra read, 1 rejected (1 precursor not positive), 4 written, ")
    assert done.stderr.endswith(" s, 2 without a candidate\n")
    (rejected,) = csv.DictReader(io.StringIO((tmp_path / "rejects.tsv").read_text()), delimiter="\t")
    assert (rejected["record"], rejected["id"]) == ("2", "broken")


def test_json_lines_hold_the_same_rows(ask):
    rows = table(ask())
    lines = [json.loads(line) for line in ask("--format", "jsonl").stdout.splitlines()]
    for row, line in zip(rows, lines, strict=True):
        assert list(line) == list(row)
        assert {name: "" if value is None else value for name, value in line.items() if name not in REALS} == {
            name: int(value) if name in ("rank", "n_candidates", "record") and value else value
            for name, value in row.items()
            if name not in REALS
        }
        assert line["score"] == (float(row["score"]) if row["score"] else None)


REALS = ("score", "probability", "exact_mass", "mass_error_ppm")


def test_top_and_tolerance(ask):
    assert [row["query_id"] for row in table(ask("--top", "1"))] == ["butanol", "broken", "nothing", "no adduct"]
    wide = table(ask("--top", "0", "--tolerance", "400Da"))
    assert [row["n_candidates"] for row in wide if row["query_id"] == "nothing"] == ["7"] * 7
    assert ask("--tolerance", "10").exit_code == 2


def test_formula_mode(ask, files):
    rows = table(ask("--mode", "formula", "--top", "1"))
    assert [row["reason"] for row in rows] == [
        "", "precursor not positive", "no candidate of the formula", "no formula",
    ]  # fmt: skip
    assert rows[0]["formula"] == "C4H10O"
    text = (files / "spectra.mgf").read_text().replace("FORMULA=", "SUM=")
    rows = table(ask("--mode", "formula", "--formula-field", "SUM", "--top", "1", spectra="-", input=text.encode()))
    assert rows[0]["formula"] == "C4H10O"


@pytest.mark.graph
def test_open_mode_with_and_without_the_graph(ask):
    exact = table(ask("--mode", "open", "--exact", "--top", "5"))
    assert len(exact) == 5 + 1 + 5 + 5
    assert table(ask("--mode", "open", "--top", "5", "--hnsw-ef", "50")) == exact
    assert {row["probability"] for row in exact} == {""}
    refused = ask("--mode", "open", "--top", "0")
    assert refused.exit_code == 2
    assert "--exact" in refused.stderr


@pytest.mark.ivf
@pytest.mark.slow
def test_open_mode_by_ivf_lists_of_an_index_from_a_pipe(ask, files, run):
    made = run("sb-build-index", "-", "-o", "-", "--ivf", "-q", stdin=(files / "molecules.h5").read_bytes())
    asked = (files / "spectra.mgf", "--index", "-", "--model", files / "model.safetensors")
    done = run("sb-query", *asked, "--mode", "open", "--top", "5", "-o", "-", stdin=made.stdout)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    assert rows == table(ask("--mode", "open", "--exact", "--top", "5"))
    assert made.stderr == b""
    assert done.stderr.count(b"\n") == 1


def test_spectra_of_any_format_from_anywhere(ask, tmp_path):
    expected = [row for row in table(ask("--top", "1")) if row["query_id"] == "butanol"]
    (tmp_path / "no-suffix").write_text(MSP)
    found = table(ask("--top", "1", spectra=tmp_path / "no-suffix"))
    assert [(row["smiles"], row["score"]) for row in found] == [(row["smiles"], row["score"]) for row in expected]
    packed = gzip.compress(SPECTRA.encode())
    assert table(ask("--top", "1", spectra="-", input=packed)) == table(ask("--top", "1"))
    forced = ask("--input-format", "msp")
    assert forced.exit_code in (0, 1)
    assert "Traceback" not in forced.stderr


@pytest.fixture
def embeddings(files, tmp_path):
    """Path of the embeddings of the spectra."""
    arguments = (files / "spectra.mgf", "--model", files / "model.safetensors", "-o", tmp_path / "spectra.h5", "-q")
    assert CliRunner().invoke(embed_spectra, list(map(str, arguments))).exit_code == 0
    return tmp_path / "spectra.h5"


def test_embeddings_in_place_of_spectra(ask, embeddings):
    direct = table(ask())
    assert table(ask(spectra=embeddings)) == direct
    embedded = embeddings.read_bytes()
    assert table(ask(spectra="-", input=embedded)) == direct
    without_probability = [row | {"probability": ""} for row in direct]
    assert table(ask(spectra="-", model=None, input=embedded)) == without_probability


@pytest.mark.slow
def test_the_index_from_a_pipe(run, files, ask, embeddings):
    done = run("sb-query", embeddings, "--index", "-", stdin=(files / "index.h5").read_bytes())
    assert done.stdout.decode() == ask(spectra=embeddings, model=None).stdout


@pytest.mark.slow
def test_a_pipe_that_is_closed_ends_quietly(files, tmp_path):
    with gzip.open(tmp_path / "x.mgf.gz", "wt") as file:
        file.write(SPECTRA * 500)
    query = f"sb-query - --index {files / 'index.h5'} --model {files / 'model.safetensors'} -q -o -"
    line = f"zcat x.mgf.gz | {query} | head -n 3; echo ${{PIPESTATUS[1]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, timeout=120)
    lines = done.stdout.decode().splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert len(lines) == 4
    assert lines[3] == str(128 + signal.SIGPIPE)
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_leaves_nothing_behind(files, tmp_path, number, status):
    arguments = ["-", "--index", files / "index.h5", "--model", files / "model.safetensors", "-o", "hits.tsv"]
    process = subprocess.Popen(["sb-query", *arguments], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(SPECTRA.encode() * 2000)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not os.listdir(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"Traceback" not in stderr
    assert os.listdir(tmp_path) == []


def assert_refused(done, status, *words):
    assert done.exit_code == status, done.stderr
    (line,) = done.stderr.splitlines()
    for word in words:
        assert str(word) in line


def test_a_model_with_another_head_is_refused_with_both_names(ask, files):
    done = ask(model="headed.safetensors")
    assert_refused(done, 3, files / "index.h5", files / "headed.safetensors", "no head", "--model")


def test_strict_and_rejects(ask, files):
    assert_refused(ask("--strict", "-o", files / "never.tsv"), 1, files / "spectra.mgf", "line 14", "precursor")
    assert not (files / "never.tsv").exists()


def test_outputs_that_exist_are_kept_without_force(ask, tmp_path):
    (tmp_path / "hits.tsv").write_text("mine")
    assert_refused(ask("-o", tmp_path / "hits.tsv"), 2, "--force")
    assert (tmp_path / "hits.tsv").read_text() == "mine"
    assert ask("-o", tmp_path / "hits.tsv", "--force").exit_code == 0
    assert len((tmp_path / "hits.tsv").read_text().splitlines()) == 8


def test_stdin_cannot_be_both(ask):
    done = CliRunner().invoke(main, ["-", "--index", "-"])
    assert done.exit_code == 2
    assert "only one of SPECTRA, --index and --candidates can be stdin" in done.stderr


def spoiled(change):
    """A function that writes a changed copy of a file."""

    def make(source, target):
        target.write_bytes(source.read_bytes())
        with h5py.File(target, "r+") as file:
            change(file)

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda source, target: target.write_bytes(source.read_bytes()[:3000]), ["truncated or damaged"]),
        (lambda source, target: target.write_bytes(b""), ["is empty"]),
        (lambda source, target: target.write_text("text"), ["not an HDF5 file", "sb-build-index"]),
        (lambda source, target: None, ["No such file"]),
        (lambda source, target: target.mkdir(), ["Is a directory"]),
        (spoiled(lambda file: file.attrs.modify("format_version", 9)), ["version 9", "reads 1"]),
        (spoiled(lambda file: file.attrs.modify("format", "specbridge-molecules")), ["specbridge-molecules"]),
        (spoiled(lambda file: file.__delitem__("embedding")), ["embedding"]),
    ],
)
def test_broken_indexes_are_named_in_one_line(ask, files, tmp_path, make, words):
    make(files / "index.h5", tmp_path / "broken.h5")
    assert_refused(ask(index=tmp_path / "broken.h5"), 1, tmp_path / "broken.h5", *words)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model": "index.h5"}, "safetensors"),
        ({"index": "model.safetensors"}, "HDF5"),
        ({"index": "molecules.h5"}, "specbridge-molecules"),
        ({"spectra": "molecules.h5"}, "specbridge-molecules"),
        ({"spectra": "index.h5"}, "specbridge-index"),
        ({"spectra": "model.safetensors"}, "format"),
        ({"spectra": "absent.mgf"}, "No such file"),
        ({"model": "absent.safetensors"}, "No such file"),
    ],
)
def test_files_in_the_wrong_place_are_named_in_one_line(ask, files, changes, word):
    assert_refused(ask(**changes), 1, files / next(iter(changes.values())), word)


def test_embeddings_that_are_cut_short(ask, embeddings):
    os.truncate(embeddings, 4000)
    assert_refused(ask(spectra=embeddings), 1, embeddings, "truncated")


@pytest.mark.slow
def test_a_full_disk_is_status_75(files, embeddings):
    command = ["sb-query", embeddings, "--index", files / "index.h5"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    (line,) = done.stderr.decode().splitlines()
    assert done.returncode == 75
    assert "<stdout>: cannot be written (No space left on device)" in line


def test_few_spectra_are_encoded_by_another_process(files, call):
    """Which imports torch while this one opens the index; the answers are those of a single process."""
    arguments = [files / "spectra.mgf", "--index", files / "index.h5", "--model", files / "model.safetensors"]
    code = (
        "import sys\nfrom specbridge_tools.cli.query import main\n"
        "main(sys.argv[1:], standalone_mode=False)\nsys.exit('torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code, *map(str, arguments), "--threads", "2", "--quiet"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == call("sb-query", *arguments).stdout
