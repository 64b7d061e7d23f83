"""sb-embed-mols: every option, pipes, exit status, and what is left behind."""

import contextlib
import gzip
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest

from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.encoders.molecular.morgan import fit_projection
from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder

COMMAND = Path(sys.executable).parent / "sb-embed-mols"
TABLE = (
    "id\tname\tsmiles\nL\tL-alanine\tC[C@H](N)C(=O)O\nbad\t\tC1CC\nE\tethanol\tCCO\nD\tD-alanine\tC[C@@H](N)C(=O)O\n"
)
LAST_LINE = re.compile(
    rb"4 molecules read, 1 rejected \(1 structure cannot be read\), 2 written, \d+\.\d s; "
    rb"1 repeated structures merged, 0 truncated\n"
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "molecules.tsv"
    path.write_text(TABLE)
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A table of molecules that keeps two workers busy for a while."""
    path = tmp_path_factory.mktemp("many") / "many.tsv"
    with open(path, "w") as file:
        file.write("smiles\n")
        for i in range(30_000):
            file.write(f"{'C' * (i % 20 + 1)}C(=O)N{'C' * (i // 20 % 20)}c1ccc(O)cc1{'CO' * (i // 400 % 75)}\n")
    return path


def two_workers(process):
    """The worker processes of a command, once both are there."""
    workers = []
    while len(workers) < 2:
        assert process.poll() is None
        time.sleep(0.01)
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children()
            workers = [child for child in children if "serve()" in " ".join(child.cmdline())]
    return workers


def ids(path):
    with open_molecule_embeddings(path) as file:
        return file.read("id").tolist()


def test_a_table_becomes_embeddings(run, table, tmp_path):
    done = run("sb-embed-mols", "molecules.tsv", "-o", "m.h5", "--encoder", "toy:dimension=8")
    assert done.stdout == b""
    assert LAST_LINE.fullmatch(done.stderr)
    with open_molecule_embeddings(tmp_path / "m.h5") as file:
        assert (file.encoder, file.dimension, len(file)) == ("toy:dimension=8", 8, 2)
        assert file.read("all_ids").tolist() == ["L;D", "E"]
        expected = ToyMoleculeEncoder(dimension=8).encode(["CC(N)C(=O)O", "CCO"])
        assert file.embedding[:].tolist() == expected.astype("f2").tolist()
    assert sorted(os.listdir(tmp_path)) == ["m.h5", "molecules.tsv"]


def test_without_an_encoder_it_is_the_one_that_ships(call, table, tmp_path):
    call("sb-embed-mols", table, "-o", "m.h5")
    with open_molecule_embeddings(tmp_path / "m.h5") as file:
        assert file.encoder == "morgan:fitted"
        assert np.isfinite(file.embedding[:]).all()


@pytest.mark.slow
def test_a_pipe_from_stdin_to_stdout(run, table, tmp_path):
    run("sb-embed-mols", table, "-o", "file.h5", "--encoder", "toy")
    for data in (TABLE.encode(), gzip.compress(TABLE.encode())):
        done = run("sb-embed-mols", "-", "-o", "-", "--encoder", "toy", stdin=data)
        assert done.stdout == (tmp_path / "file.h5").read_bytes()
        assert LAST_LINE.fullmatch(done.stderr)


def test_quiet_says_nothing(call, table):
    assert call("sb-embed-mols", table, "-o", "m.h5", "--encoder", "toy", "--quiet").stderr == b""


def test_an_empty_file_says_so(call, tmp_path):
    (tmp_path / "empty.tsv").write_text("id\tsmiles\n")
    done = call("sb-embed-mols", "empty.tsv", "-o", "m.h5", "--encoder", "toy")
    assert b"empty.tsv: is empty: it holds no record\n" in done.stderr
    assert ids(tmp_path / "m.h5") == []


def test_a_library_of_ms1_alone_says_that_and_not_that_it_is_empty(call, tmp_path):
    record = "Name: a\nSpectrum_type: MS1\nSMILES: CCO\nNum Peaks: 1\n47.05 1\n\n"
    (tmp_path / "ms1.msp").write_text(2 * record)
    done = call("sb-embed-mols", "ms1.msp", "-o", "m.h5", "--encoder", "toy")
    assert b"ms1.msp: 2 spectra skipped (MS1)\n" in done.stderr
    assert b"ms1.msp holds no spectra of MS2\n" in done.stderr
    assert b"empty" not in done.stderr
    (tmp_path / "both.msp").write_text(record + record.replace("MS1", "MS2"))
    done = call("sb-embed-mols", "both.msp", "-o", "b.h5", "--encoder", "toy")
    assert b"1 molecules read, 0 rejected" in done.stderr


def test_a_missing_smiles_leaves_its_place_to_the_inchi(call, tmp_path):
    (tmp_path / "m.csv").write_text(
        "name,SMILES,InChI\nethanol,CCO,\ncaffeine,NA,"
        '"InChI=1S/C8H10N4O2/c1-10-4-9-6-5(10)7(13)12(3)8(14)11(6)2/h4H,1-3H3"\n'
        'propanol,,"InChI=1S/C3H8O/c1-2-3-4/h4H,2-3H2,1H3"\n'
    )
    done = call("sb-embed-mols", "m.csv", "-o", "m.h5", "--encoder", "toy")
    assert done.stderr.startswith(b"3 molecules read, 0 rejected, 3 written")


@pytest.mark.parametrize(
    ("encoder", "name"),
    [
        ("morgan:bits=64,dimension=4,counts=true", "morgan:radius=2,bits=64,counts=true,dimension=4,seed=0"),
        ("morgan:file=p.safetensors", "morgan:fitted"),
        ("toy", "toy:dimension=32"),
    ],
)
def test_encoders(call, table, tmp_path, encoder, name):
    if "file=" in encoder:
        fit_projection(["C" * i for i in range(1, 9)], tmp_path / "p.safetensors", bits=32, dimension=3)
    call("sb-embed-mols", table, "-o", "m.h5", "--encoder", encoder)
    with open_molecule_embeddings(tmp_path / "m.h5") as file:
        assert file.encoder == name


def test_chemberta_names_what_it_cuts(call, roberta_folder, tmp_path):
    (tmp_path / "x.smi").write_text(f"CCO short\n{'C' * 40} long\n")
    encoder = f"chemberta:{roberta_folder},pooling=mean"
    done = call(
        "sb-embed-mols",
        "x.smi",
        "-o",
        "m.h5",
        "--encoder",
        encoder,
        "--device",
        "cpu",
        "--batch-size",
        1,
        "--threads",
        1,
    )
    assert b"sb-embed-mols: long: too long for the encoder, its end was cut\n" in done.stderr
    assert done.stderr.endswith(b"; 0 repeated structures merged, 1 truncated\n")
    with open_molecule_embeddings(tmp_path / "m.h5") as file:
        assert file.encoder == "chemberta:tiny-chemberta,pooling=mean"
        assert file.read("truncated").tolist() == [0, 1]


def test_a_download_needs_to_be_asked_for(call, table):
    arguments = ("sb-embed-mols", table, "-o", "m.h5", "--encoder", "chemberta:nobody/nothing")
    assert (
        b"nobody/nothing: no such folder; give a local folder, or --allow-download" in call(*arguments, status=1).stderr
    )
    # the tests have no network
    assert b"nobody/nothing: cannot be downloaded" in call(*arguments, "--allow-download", status=1).stderr


def test_dtype(call, table, tmp_path):
    call("sb-embed-mols", table, "-o", "m.h5", "--encoder", "toy", "--dtype", "float32")
    with open_molecule_embeddings(tmp_path / "m.h5") as file:
        assert file.embedding.dtype == np.float32


def test_formats_and_columns_can_be_forced(call, tmp_path):
    (tmp_path / "t.dat").write_text("id,smiles,parent\nA,CCC,CCO\n")
    call(
        "sb-embed-mols", "t.dat", "-o", "m.h5", "--encoder", "toy", "--input-format", "csv", "--smiles-column", "parent"
    )
    with open_molecule_embeddings(tmp_path / "m.h5") as file:
        assert file.read("smiles").tolist() == ["CCO"]
    done = call("sb-embed-mols", "t.dat", "-o", "n.h5", "--encoder", "toy", "--smiles-column", "nosuch", status=1)
    assert b"t.dat: has no column 'nosuch'; its columns: id, smiles, parent; --smiles-column names it" in done.stderr
    done = call("sb-embed-mols", "t.dat", "-o", "n.h5", "--encoder", "toy", "--input-format", "smi", status=1)
    assert b"t.dat: is no file of molecules: none of its first 2 records is a structure" in done.stderr


def test_rejects_and_strict(call, table, tmp_path):
    call("sb-embed-mols", table, "-o", "m.h5", "--encoder", "toy", "--rejects", "r.tsv")
    assert (tmp_path / "r.tsv").read_text().splitlines() == [
        "source\trecord\tline\tid\treason\tdetail",
        f"{table}\t2\t3\tbad\tstructure cannot be read\tC1CC",
    ]
    done = call("sb-embed-mols", table, "-o", "s.h5", "--encoder", "toy", "--strict", status=1)
    assert f"{table}: line 3: structure cannot be read (C1CC); --strict".encode() in done.stderr
    assert not (tmp_path / "s.h5").exists()


def test_a_library_of_spectra(call, tmp_path):
    record = "Name: {}\nDB#: {}\nPrecursorMZ: 90\nSMILES: {}\nNum Peaks: 1\n50 1\n\n"
    rows = [("L-alanine", "L", "C[C@H](N)C(=O)O"), ("x", "X", ""), ("ethanol", "E", "CCO"), ("D", "D", "CC(N)C(=O)O")]
    path = tmp_path / "library.msp"
    path.write_text("".join(record.format(*row) for row in rows))
    output = tmp_path / "molecules.h5"
    done = call("sb-embed-mols", str(path), "--encoder", "toy", "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert b"4 molecules read, 1 rejected (1 no structure), 2 written" in done.stderr
    with open_molecule_embeddings(output) as file:
        assert list(file.read("id", 0, 2)) == ["L", "E"]
        assert list(file.read("name", 0, 2)) == ["L-alanine", "ethanol"]
        assert list(file.read("all_ids", 0, 2)) == ["L;D", "E"]
    parts = [str(tmp_path / f"{n}.h5") for n in (1, 2)]
    for n, part in enumerate(parts, 1):
        assert call("sb-embed-mols", str(path), "--encoder", "toy", "--shard", f"{n}/2", "-o", part).returncode == 0
    assert call("sb-merge", *parts, "-o", str(tmp_path / "whole.h5")).returncode == 0
    with open_molecule_embeddings(tmp_path / "whole.h5") as file:
        assert list(file.read("id", 0, 2)) == ["L", "E"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["nosuch.tsv", "-o", "m.h5"], 1, "nosuch.tsv: cannot be read (No such file or directory)"),
        ([".", "-o", "m.h5"], 1, "cannot be read (Is a directory)"),
        (["molecules.tsv", "-o", "m.h5", "--encoder", "nosuch"], 2, "no molecule encoder 'nosuch'; known: chemberta"),
        (["molecules.tsv", "-o", "m.h5", "--encoder", "morgan:bits=3"], 2, "bits=3 is not between"),
        (["molecules.tsv", "-o", "m.h5", "--encoder", "morgan:file=nosuch"], 1, "nosuch: cannot be read"),
        (["molecules.tsv", "-o", "m.h5", "--encoder", "morgan:file=molecules.tsv"], 1, "is no safetensors file"),
        (["molecules.tsv", "-o", "molecules.tsv"], 2, "molecules.tsv: exists already; --force replaces it"),
        (["molecules.tsv", "-o", "nosuch/m.h5"], 2, "the folder of the output does not exist"),
        (["molecules.tsv", "-o", "m.h5", "--dtype", "int8"], 2, "'int8' is not one of 'float16', 'float32'"),
        (["molecules.tsv", "-o", "m.h5", "--threads", "0"], 2, "0 is not in the range x>=1"),
        (["cut.gz", "-o", "m.h5"], 1, "cut.gz: broken gzip stream"),
        (
            ["spectra.mgf", "-o", "m.h5"],
            1,
            "spectra.mgf: gives no molecule: all 1 records are rejected (1 no structure)",
        ),
        (["peaks.txt", "-o", "m.h5"], 1, "peaks.txt: is of no known format; it begins with '61.9792 144847 69'"),
        (
            ["rings.smi", "-o", "m.h5"],
            1,
            "rings.smi: is no file of molecules: none of its first 2 records is a structure",
        ),
        ([], 2, "Missing argument 'MOLECULES'"),
    ],
)
def test_what_goes_wrong_is_one_line(call, table, tmp_path, arguments, status, message):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(os.urandom(3000).hex().encode())[:2000])
    (tmp_path / "spectra.mgf").write_text("BEGIN IONS\nPEPMASS=1\n1 1\nEND IONS\n")
    (tmp_path / "peaks.txt").write_text("61.9792 144847 69\n68.0243 1564399.8 755\n")
    (tmp_path / "rings.smi").write_text("C1 one\nC2 two\n")
    before = sorted(os.listdir(tmp_path))
    extra = [] if "--encoder" in arguments else ["--encoder", "toy"]
    done = call("sb-embed-mols", *arguments, *(extra if arguments else []), status=status)
    assert message.encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].lower().find(b"error: ") >= 0
    assert sorted(os.listdir(tmp_path)) == before


def test_force_replaces(call, table, tmp_path):
    (tmp_path / "m.h5").write_bytes(b"old")
    call("sb-embed-mols", table, "-o", "m.h5", "--encoder", "toy", "--force")
    assert ids(tmp_path / "m.h5") == ["L", "E"]


def test_a_full_disk_is_status_75(run, table):
    done = run("sb-embed-mols", table, "-o", "/dev/full", "--encoder", "toy", status=75)
    assert b"/dev/full: cannot be written (No space left on device)" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_disk_that_fills_up_while_hdf5_writes(run, table, tmp_path):
    def limit():
        # beyond the limit a write fails, as on a full disk
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = run("sb-embed-mols", table, "-o", "m.h5", "--encoder", "toy", status=None, preexec_fn=limit)
    assert done.returncode in (1, 75)
    assert b"cannot be written (File too large)" in done.stderr
    assert b"Traceback" not in done.stderr
    assert os.listdir(tmp_path) == ["molecules.tsv"]


def test_a_closed_pipe_is_a_quiet_end(table):
    embed = subprocess.Popen(
        [COMMAND, table, "-o", "-", "--encoder", "toy"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    embed.stdout.close()
    with embed:
        assert b"Traceback" not in embed.stderr.read()
        assert embed.wait() == 128 + signal.SIGPIPE


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(many, tmp_path, number):
    arguments = [COMMAND, many, "-o", "m.h5", "--encoder", "morgan:bits=64,dimension=8", "--threads", "2"]
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        workers = two_workers(process)
        process.send_signal(number)
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(timeout=20) == 128 + number
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert os.listdir(tmp_path) == []


def test_a_killed_worker_is_one_line(many, tmp_path):
    arguments = [COMMAND, many, "-o", "m.h5", "--encoder", "toy", "--threads", "2"]
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        two_workers(process)[0].kill()
        message = process.stderr.read()
        assert process.wait(timeout=20) == 1
    assert message == (
        b"sb-embed-mols: error: a worker process ended unexpectedly (status -9); "
        b"it may have run out of memory: use fewer --threads\n"
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_bytes(run, many, tmp_path):
    lines = many.read_text().splitlines()[:6001]
    (tmp_path / "some.tsv").write_text("\n".join([*lines, ""]))
    encoder = ("--encoder", "morgan:bits=64,dimension=8")
    for threads in (1, 2, 3):
        run("sb-embed-mols", "some.tsv", "-o", f"{threads}.h5", *encoder, "--threads", threads)
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes() == (tmp_path / "3.h5").read_bytes()
    with h5py.File(tmp_path / "1.h5") as file:
        assert file.attrs["n"] == len(set(lines[1:])) > 5000


def test_complexes_that_become_their_ligand_are_counted_and_named(call, tmp_path):
    lines = ["[Fe+2].[cH-]1cccc1.[cH-]1cccc1 ferrocene", "CC(=O)[O-].[Na+] salt", "C[Hg]C mercury"]
    lines += [f"[Zn+2].[O-]C(=O){'C' * n}N.[O-]C(=O){'C' * n}N zinc{n}" for n in (1, 2, 3)]
    (tmp_path / "m.smi").write_text("\n".join(lines) + "\n")
    done = call("sb-embed-mols", "m.smi", "-o", "m.h5", "--encoder", "toy")
    assert b"6 written, 4 left without a metal (ferrocene, zinc1, zinc2, ...), " in done.stderr
