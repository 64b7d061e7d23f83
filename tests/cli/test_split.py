import re

import pytest

MOLECULES = ("CCCCCCCCO", "CCCCCCCCCO", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CC(=O)Nc1ccc(O)cc1")


def record(title, structure):
    return f"BEGIN IONS\nTITLE={title}\nPEPMASS=200.5\nCHARGE=1+\n{structure}100.25 1\nEND IONS\n\n"


@pytest.fixture
def spectra(tmp_path):
    """Two spectra of each molecule, then one without a structure."""
    blocks = [record(f"{i}.{k}", f"SMILES={text}\n") for i, text in enumerate(MOLECULES) for k in (0, 1)]
    (tmp_path / "spectra.mgf").write_text("".join([*blocks, record("none", "")]))
    return "spectra.mgf"


def titles(path):
    return re.findall(r"TITLE=(.*)", path.read_text())


def test_folds_and_their_table(call, spectra, tmp_path):
    done = call("sb-split", spectra, "--fractions", "0.5,0.5", "-o", "s/")
    header, *rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert header == ["part", "file", "records", "molecules", "groups"]
    assert [row[0] for row in rows] == ["train", "val"]
    assert sum(int(row[4]) for row in rows) == 3
    parts = [titles(tmp_path / row[1]) for row in rows]
    assert [len(part) for part in parts] == [int(row[2]) for row in rows] == [4, 4]
    alcohols = {"0.0", "0.1", "1.0", "1.1"}
    assert set(parts[0]) == alcohols or set(parts[1]) == alcohols
    assert done.stderr.decode().splitlines()[-1].startswith("9 spectra read, 1 rejected (1 no structure), 8 written, ")


@pytest.mark.parametrize("options", [("--parts", "2"), ("--size", "3"), ("--by", "structure", "--fractions", "1,1")])
def test_what_is_skipped_is_said_once(call, spectra, tmp_path, options):
    with open(tmp_path / spectra, "a") as stream:
        stream.write(record("survey", "MSLEVEL=1\n"))
    done = call("sb-split", spectra, *options, "-o", "s/")
    assert done.stderr.count(b"sb-split: spectra.mgf: 1 spectra skipped (MS1)\n") == 1


def test_every_option_of_the_folds(call, spectra, tmp_path):
    options = (
        "--by",
        "structure",
        "--threshold",
        "1",
        "--seed",
        "5",
        "--fractions",
        "2,1,1",
        "--rejects",
        "r.tsv",
        "-q",
    )
    done = call("sb-split", spectra, *options, "-o", "t", "--input-format", "mgf")
    assert done.stderr == b""
    assert sorted(path.name for path in tmp_path.glob("t.*")) == ["t.test.mgf", "t.train.mgf", "t.val.mgf"]
    assert (tmp_path / "r.tsv").read_text().splitlines()[1].split("\t")[3:5] == ["none", "no structure"]
    again = call("sb-split", spectra, *options, "-o", "t", "--force")
    assert again.stdout == done.stdout


def test_by_scaffold_molecule_and_record(call, spectra):
    groups = {}
    for by in ("scaffold", "molecule", "record"):
        rows = call("sb-split", spectra, "--by", by, "-o", by).stdout.decode().splitlines()[1:]
        groups[by] = [row.split("\t")[2:] for row in rows]
    assert sum(int(row[2]) for row in groups["scaffold"]) == 3
    assert sum(int(row[1]) for row in groups["molecule"]) == 4
    assert [row[1:] for row in groups["record"]] == [["", ""]] * 2
    assert sum(int(row[0]) for row in groups["record"]) == 9


@pytest.mark.slow
def test_parts_from_stdin(run, spectra, tmp_path):
    content = (tmp_path / spectra).read_bytes()
    done = run("sb-split", "-", "--parts", "2", "-o", "p", stdin=content)
    assert done.stdout.decode().splitlines()[1:] == ["0001\tp.0001.mgf\t5\t\t", "0002\tp.0002.mgf\t4\t\t"]
    assert titles(tmp_path / "p.0001.mgf") + titles(tmp_path / "p.0002.mgf") == titles(tmp_path / spectra)
    run("sb-split", "-", "--size", "4", "-o", "q", stdin=content)
    assert [len(titles(tmp_path / f"q.000{i}.mgf")) for i in (1, 2, 3)] == [4, 4, 1]


def test_tables_of_molecules(call, tmp_path):
    (tmp_path / "m.dat").write_text("id\tsmiles\n" + "".join(f"{i}\t{text}\n" for i, text in enumerate(MOLECULES)))
    call("sb-split", "m.dat", "--size", "3", "-o", "m")
    assert (tmp_path / "m.0002.tsv").read_text() == f"id\tsmiles\n3\t{MOLECULES[3]}\n"
    done = call("sb-split", "m.dat", "-o", "f")
    assert b"4 molecules read, 0 rejected, 4 written" in done.stderr
    call("sb-split", "m.dat", "-o", "g", "--threads", "1")
    assert (tmp_path / "g.train.tsv").read_bytes() == (tmp_path / "f.train.tsv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--parts", "2", "--size", "3", "-o", "x"), 2, "--parts and --size exclude each other"),
        (("--parts", "0", "-o", "x"), 2, "--parts"),
        (("--fractions", "0.9", "-o", "x"), 2, "give two or more numbers"),
        (("--fractions", "0.9,-1", "-o", "x"), 2, "each above 0"),
        (("--fractions", "a,b", "-o", "x"), 2, "give numbers such as 0.9,0.1"),
        (("--by", "colour", "-o", "x"), 2, "--by"),
        (("--threshold", "0", "-o", "x"), 2, "--threshold"),
        ((), 2, "--output"),
        (("-o", "-"), 2, "parts cannot go to stdout"),
        (("-o", "missing/x"), 2, "the folder of the output does not exist"),
        (("-o", "x", "--strict"), 1, "no structure"),
        (("-o", "x", "--parts", "10"), 1, "9 spectra cannot fill 10 parts"),
        (("-o", "x", "--input-format", "mzml"), 1, "spectra.mgf"),
    ],
)
def test_what_goes_wrong_leaves_nothing_behind(call, spectra, tmp_path, arguments, status, message):
    before = sorted(tmp_path.iterdir())
    done = call("sb-split", spectra, *arguments, status=status)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""
    assert sorted(tmp_path.iterdir()) == before


def test_missing_and_foreign_files(call, tmp_path):
    assert b"nothing.mgf: cannot be read" in call("sb-split", "nothing.mgf", "-o", "x", status=1).stderr
    (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 50)
    assert b"HDF5 file" in call("sb-split", "x.h5", "-o", "x", status=1).stderr
    (tmp_path / "text").write_text("nothing that we know\n")
    assert b"is of no known format" in call("sb-split", "text", "-o", "x", status=1).stderr
