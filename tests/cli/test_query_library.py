"""sb-query without --index: the library that ships, here one of a few molecules."""

import csv
import io

import pytest
from small_library import N_MOLECULES, pack_small

from specbridge_tools import pretrained
from specbridge_tools.molecules.formula import mass_of_formula

PROTON = 1.007276466
QUERY = "BEGIN IONS\nTITLE={0}\nPEPMASS={1}\nCHARGE=1+\nADDUCT=[M+H]+\nFORMULA={0}\n40.1 1\n41.2 2\nEND IONS\n\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "ships").mkdir()
    monkeypatch.setattr(pretrained, "LIBRARY", pack_small(tmp_path / "ships"))
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SPECBRIDGE_SHARED", raising=False)
    return tmp_path / "home"


@pytest.fixture
def model(tmp_path, save_toy_model):
    return save_toy_model(tmp_path / "model.safetensors", dimension=8)


@pytest.fixture
def spectra(tmp_path):
    path = tmp_path / "spectra.mgf"
    path.write_text("".join(QUERY.format(formula, mass_of_formula(formula) + PROTON) for formula in ("C4H10O", "C6H6")))
    return path


def rows(done):
    return list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))


def test_the_first_use_builds_and_the_second_gives_the_same(call, home, model, spectra):
    first = call("sb-query", spectra, "--model", model)
    assert f"building the index of the {N_MOLECULES} molecules that ship, once: {home}".encode() in first.stderr
    found = rows(first)
    assert {row["name"] for row in found} == {"1-butanol", "diethyl ether", "", "Benzol, α-frei"}
    assert found[-1]["id"] == "pubchem:241"
    second = call("sb-query", spectra, "--model", model)
    assert second.stdout == first.stdout
    assert b"building" not in second.stderr


def test_the_index_of_build_gives_the_same(call, home, model, spectra):
    expected = call("sb-query", spectra, "--model", model).stdout
    call("sb-library", "build", "--model", model, "-o", "library.h5")
    assert call("sb-query", spectra, "--model", model, "--index", "library.h5").stdout == expected


def test_embeddings_need_no_model(call, home, model, spectra):
    call("sb-embed-spectra", spectra, "-o", "spectra.h5")
    found = rows(call("sb-query", "spectra.h5"))
    assert {row["query_id"]: row["n_candidates"] for row in found} == {"C4H10O": "3", "C6H6": "1"}


def test_shards_say_which_index_it_was(call, home, model, spectra):
    for number in (1, 2):
        call("sb-query", spectra, "--model", model, "--shard", f"{number}/2", "-o", f"hits.{number}.tsv")
    merged = call("sb-merge", "hits.1.tsv", "hits.2.tsv").stdout
    assert merged == call("sb-query", spectra, "--model", model).stdout


def test_a_home_that_cannot_be_written_is_one_line(call, home, model, spectra):
    home.write_text("")
    (line,) = call("sb-query", spectra, "--model", model, status=1).stderr.decode().splitlines()
    assert line.startswith(f"sb-query: error: {home}/library: the index of the library cannot be written there")
    assert "set SPECBRIDGE_HOME to a folder" in line
    assert "`sb-library build -o FILE`" in line
    assert "--index" in line


def test_what_is_no_model_is_one_line(call, home, spectra, tmp_path):
    (tmp_path / "no.safetensors").write_text("nothing")
    (line,) = call("sb-query", spectra, "--model", "no.safetensors", status=1).stderr.decode().splitlines()
    assert "is no safetensors file" in line
