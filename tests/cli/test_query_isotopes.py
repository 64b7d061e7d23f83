"""sb-query --isotopes: formulas whose isotope pattern does not fit the MS1 peaks are marked, or left out."""

import csv
import io

import pytest

MOLECULES = "id\tsmiles\nchloro\tO=C(O)c1ccc(Cl)cc1\nthio\tO=C(O)C(=O)c1cccs1\n"  # 155.9978 and 155.9881 Da
MS = """>compound a
>parentmass 154.9905
>ionization [M-H]-
>usi none

>ms1
154.9905 100
155.9939 7.8
156.9876 32.1

>ms2 20
111.0 5
"""


@pytest.fixture
def files(call, save_toy_model, tmp_path):
    (tmp_path / "m.tsv").write_text(MOLECULES)
    call("sb-embed-mols", "m.tsv", "--encoder", "toy", "-o", "m.h5", "-q")
    call("sb-build-index", "m.h5", "-o", "i.h5", "-q")
    save_toy_model(tmp_path / "model.safetensors")
    (tmp_path / "a.ms").write_text(MS)
    return tmp_path


def query(call, *arguments, status=0):
    options = ("--index", "i.h5", "--model", "model.safetensors", "--tolerance", "0.02Da")
    done = call("sb-query", *arguments, *options, status=status)
    return list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t")), done.stderr.decode()


def test_what_does_not_fit_is_marked_or_left_out(call, files):
    plain, _ = query(call, "a.ms")
    assert sorted(row["id"] for row in plain) == ["chloro", "thio"]
    assert "isotope_misfit" not in plain[0]
    marked, stderr = query(call, "a.ms", "--isotopes", "mark")
    assert "1 with isotope peaks (a)" in stderr
    columns = list(marked[0])
    assert columns[columns.index("mass_error_ppm") + 1] == "isotope_misfit"
    misfit = {row["id"]: float(row["isotope_misfit"]) for row in marked}
    assert misfit["chloro"] < 0.1 < 1.5 < misfit["thio"]
    assert [{**row, "isotope_misfit": None} for row in marked] == [{**row, "isotope_misfit": None} for row in plain]
    (row,), _ = query(call, "a.ms", "--isotopes", "drop")
    assert (row["id"], row["n_candidates"], row["rank"]) == ("chloro", "1", "1")
    with_two, _ = query(call, "a.ms", "--isotopes", "drop", "--index", "i.h5")
    assert with_two == [row]


def test_without_a_candidate_the_reason_says_it(call, files):
    (files / "b.ms").write_text(MS.replace("156.9876 32.1", "156.9876 200"))
    (row,), _ = query(call, "b.ms", "--isotopes", "drop")
    assert (row["reason"], row["id"]) == ("no candidate whose isotope pattern fits", "")


def test_files_without_ms1_have_an_empty_column(call, files):
    (files / "c.ms").write_text(MS.partition(">ms1")[0] + ">ms2 20\n111.0 5\n")
    rows, stderr = query(call, "c.ms", "--isotopes", "drop")
    assert {row["isotope_misfit"] for row in rows} == {""}
    assert len(rows) == 2
    assert "with isotope peaks" not in stderr
    call("sb-embed-spectra", "c.ms", "--model", "model.safetensors", "-o", "c.h5", "-q")
    assert "spectrum embeddings have no isotope peaks" in query(call, "c.h5", "--isotopes", "mark", status=2)[1]
