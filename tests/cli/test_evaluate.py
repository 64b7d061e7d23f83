import csv
import json
import os
import subprocess
import sys

import pytest

COLUMNS = (
    "query_id",
    "rank",
    "score",
    "probability",
    "inchikey14",
    "name",
    "adduct",
    "mass_error_ppm",
    "n_candidates",
    "record",
)
MOLECULES = {"CCO": "LFQSCWFLJHTTHZ", "CCCO": "BDERNNFJNOPAEC", "CC(C)O": "KFZMGEQAYNKOFK"}


@pytest.fixture
def files(tmp_path):
    """Three spectra of three molecules, ranked 1, 2 and not found among two candidates each."""
    spectra, rows = [], []
    for i, (smiles, key) in enumerate(MOLECULES.items(), start=1):
        charge = "1-" if i == 3 else "1+"
        spectra.append(
            f"BEGIN IONS\nTITLE=q{i}\nPEPMASS=300.5\nCHARGE={charge}\nSMILES={smiles}\nFEATURE=F\n50.5 1\nEND IONS\n"
        )
        best, second = {1: (key, "OTHER"), 2: ("OTHER", key), 3: ("OTHER", "THIRD")}[i]
        rows.append((f"q{i}", 1, "0.9", "0.75", best, "best", "[M+H]+", "0.5", 2, i))
        rows.append((f"q{i}", 2, "0.5", "0.1", second, "", "[M+H]+", "1.5", 2, i))
    (tmp_path / "spectra.mgf").write_text("\n".join(spectra))
    lines = ["\t".join(map(str, row)) for row in (COLUMNS, *rows)]
    (tmp_path / "hits.tsv").write_text("\n".join(lines) + "\n")
    return ("hits.tsv", "--truth", "spectra.mgf")


def metrics(text):
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    return {(row["subset"], row["ranking"], row["metric"], row["over"]): row for row in rows}


def test_metrics_on_stdout(call, files):
    done = call("sb-evaluate", *files)
    found = metrics(done.stdout.decode())
    assert found["all", "score", "recall@1", "spectra"]["value"] == "0.333333"
    assert found["all", "score", "recall@5", "spectra"]["value"] == "0.666667"
    assert found["all", "score", "mrr", "spectra"]["value"] == "0.5"
    assert found["all", "random", "recall@1", "spectra"]["value"] == "0.333333"
    assert found["all", "mass_only", "recall@1", "molecules"]["value"] == "0.333333"
    assert found["polarity=negative", "score", "recall@20", "spectra"]["value"] == "0"
    assert found["precursor_mz=300-400", "score", "recall@1", "spectra"]["n_molecules"] == "3"
    assert found["all", "probability", "precision@p>=0.7", "spectra"]["value"] == "0.333333"
    assert found["all", "lists", "truth_in_candidates", "spectra"]["low"] == ""
    assert done.stderr.decode().startswith("3 spectra read, 0 rejected, ")


def test_options_of_the_metrics(call, files, tmp_path):
    call(
        "sb-evaluate", *files, "--recall-at", "2", "--resamples", "9", "--seed", "3", "--format", "json", "-o", "m.json"
    )
    rows = json.loads((tmp_path / "m.json").read_text())
    names = {row["metric"] for row in rows if row["ranking"] == "score"}
    assert names == {"recall@2", "mrr"}
    assert next(row for row in rows if row["metric"] == "truth_in_candidates")["low"] is None
    done = call("sb-evaluate", *files, "-o", "m.json", status=2)
    assert b"m.json: exists already" in done.stderr
    call("sb-evaluate", *files, "-o", "m.json", "--force", "-q")
    assert (tmp_path / "m.json").read_text().startswith("subset\t")


@pytest.mark.slow
def test_a_pipe_on_either_side(run, files, tmp_path):
    expected = run("sb-evaluate", *files).stdout
    hits = (tmp_path / "hits.tsv").read_bytes()
    assert run("sb-evaluate", "-", "--truth", "spectra.mgf", stdin=hits).stdout == expected
    spectra = (tmp_path / "spectra.mgf").read_bytes()
    assert run("sb-evaluate", "hits.tsv", "--truth", "-", stdin=spectra).stdout == expected
    assert b"cannot both be stdin" in run("sb-evaluate", "-", "--truth", "-", status=2).stderr


def test_table_for_people(call, files, tmp_path):
    done = call("sb-evaluate", *files, "--show", "2")
    text = done.stdout.decode()
    rows = [line.split() for line in text.splitlines() if line.strip().startswith("q")]
    assert rows[1] == ["q1", "[M+H]+", "best", "0.900", "0.75", "1", "of", "2", "right"]
    assert rows[2] == ["q2", "[M+H]+", "best", "0.900", "0.75", "2", "of", "2", "wrong"]
    assert "... and 1 queries more" in text
    assert "recall@1   33.3%" in text
    assert "subset\t" not in text
    assert "\x1b" not in text
    call("sb-evaluate", *files, "--show", "2", "-o", "m.tsv")
    assert (tmp_path / "m.tsv").read_text().startswith("subset\t")


@pytest.mark.slow
def test_picture(call, files, tmp_path):
    call("sb-evaluate", *files, "--plot", "m.png", "-o", "m.tsv")
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


def test_groups(call, files, tmp_path):
    text = (tmp_path / "spectra.mgf").read_text().replace("CCCO", "OCC").replace("CC(C)O", "OCC")
    (tmp_path / "spectra.mgf").write_text(text)
    (tmp_path / "hits.tsv").write_text("query_id\tscore\tinchikey14\nF\t0.5\tLFQSCWFLJHTTHZ\n")
    found = metrics(call("sb-evaluate", *files, "--group-by", "feature").stdout.decode())
    assert found["all", "score", "recall@1", "spectra"]["value"] == "1"
    assert found["all", "score", "recall@1", "spectra"]["n_spectra"] == "1"
    assert found["all", "mass_only", "recall@1", "spectra"]["value"] == ""


def test_rejects_and_strict(call, files, tmp_path):
    with open(tmp_path / "spectra.mgf", "a") as file:
        file.write("BEGIN IONS\nTITLE=bare\nPEPMASS=300.5\n50.5 1\nEND IONS\n")
    done = call("sb-evaluate", *files, "--rejects", "r.tsv", "-o", "m.tsv")
    assert b"4 spectra read, 1 rejected (1 no structure)" in done.stderr
    assert "bare\tno structure" in (tmp_path / "r.tsv").read_text()
    assert b"no structure" in call("sb-evaluate", *files, "--strict", status=1).stderr


@pytest.mark.parametrize(
    ("change", "arguments", "status", "message"),
    [
        (("hits.tsv", "q3", "zz"), (), 3, "query zz of the hits is not in spectra.mgf"),
        (("hits.tsv", "0.9", "high"), (), 1, "column score of query q1"),
        (("hits.tsv", "0.9", "nan"), (), 1, "query q1: a score is missing or not finite"),
        (("hits.tsv", "0.75", "likely"), (), 1, "column probability of query q1"),
        (("hits.tsv", "\t2\t", "\ttwo\t"), (), 1, "column n_candidates of query q1"),
        (("hits.tsv", "\t0.5\t2", "\tnone\t2"), (), 1, "column mass_error_ppm of query q1"),
        (("hits.tsv", "inchikey14", "key"), (), 1, "hits.tsv: is no hits table: no column inchikey14"),
        (("spectra.mgf", "SMILES", "NOTE"), (), 1, "spectra.mgf: no spectrum with a structure"),
        (("spectra.mgf", "", ""), ("--recall-at", "0"), 2, "ranks start at 1"),
        (("spectra.mgf", "", ""), ("--recall-at", "x"), 2, "give ranks such as 1,5,20"),
        (("spectra.mgf", "", ""), ("--resamples", "0"), 2, "--resamples"),
        (("spectra.mgf", "", ""), ("--input-format", "mzml"), 1, "spectra.mgf"),
        (("spectra.mgf", "", ""), ("--group-by", "feature"), 1, "group F holds"),
        (("spectra.mgf", "", ""), ("-o", "missing/m.tsv"), 2, "the folder of the output does not exist"),
        (("spectra.mgf", "", ""), ("--plot", "spectra.mgf"), 2, "spectra.mgf: exists already"),
    ],
)
def test_what_goes_wrong(call, files, tmp_path, change, arguments, status, message):
    name, old, new = change
    (tmp_path / name).write_text(
        (tmp_path / name).read_text().replace(old, new) if old else (tmp_path / name).read_text()
    )
    done = call("sb-evaluate", *files, *arguments, status=status)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


@pytest.mark.slow
def test_a_missing_extra_is_named(run, files, tmp_path):
    # a module of that name that cannot be imported stands first on the path
    (tmp_path / "matplotlib.py").write_text("raise ImportError('no matplotlib')")
    done = run(
        "sb-evaluate",
        *files,
        "--plot",
        "m.png",
        "-o",
        "m.tsv",
        status=2,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]),
        },
    )
    assert b"pip install 'specbridge_tools[plot]'" in done.stderr
    assert not (tmp_path / "m.png").exists()


@pytest.mark.parametrize("command", ["evaluate", "split", "merge", "models"])
def test_help_imports_nothing_heavy(command):
    code = (
        f"import sys; sys.argv = ['sb-{command}', '--help']\n"
        f"from specbridge_tools.cli.{command} import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.exit(' '.join({'torch', 'rdkit', 'numpy', 'scipy', 'h5py', 'rich'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Example:" in done.stdout
