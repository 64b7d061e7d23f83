import csv
import io
import json
import os

import pytest
from small_library import N_MOLECULES, pack_small

from specbridge_tools import pretrained
from specbridge_tools.search.index.reader import open_index


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty store, and a small library in place of the one that ships."""
    (tmp_path / "ships").mkdir()
    monkeypatch.setattr(pretrained, "LIBRARY", pack_small(tmp_path / "ships"))
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SPECBRIDGE_SHARED", raising=False)
    return tmp_path / "home"


def test_build_puts_the_index_where_path_says(call, home):
    missing = call("sb-library", "path", status=1)
    assert b"the index of the library was not built yet; sb-library build" in missing.stderr
    built = call("sb-library", "build", "--threads", "1")
    path = call("sb-library", "path").stdout.decode().strip()
    assert os.path.dirname(path) == str(home / "library")
    assert f"{N_MOLECULES} molecules in {path}".encode() in built.stderr
    again = call("sb-library", "build")
    assert b"building" not in again.stderr
    with open_index(path) as index:
        assert index.n == N_MOLECULES
    assert b"building" in call("sb-library", "build", "--force").stderr


def test_build_into_a_file_leaves_the_store_alone(call, home, tmp_path):
    call("sb-library", "build", "-o", "library.h5", "--threads", "1")
    assert not home.exists()
    with open_index(tmp_path / "library.h5") as index:
        assert index.n == N_MOLECULES
    assert b"--force replaces it" in call("sb-library", "build", "-o", "library.h5", status=2).stderr


def test_build_for_another_model(call, home, tmp_path, save_toy_model):
    model = save_toy_model(tmp_path / "toy.safetensors", dimension=8)
    assert b"minutes, as each molecule must be encoded" in call("sb-library", "build", "--model", model).stderr
    path = call("sb-library", "path", "--model", model).stdout.decode().strip()
    with open_index(path) as index:
        assert index.space.encoder.startswith("toy:")
    call("sb-library", "path", status=1)
    wrong = call("sb-library", "build", "--model", model, "--encoder", "morgan", "--force", status=3)
    assert b"is not that of model" in wrong.stderr


def test_a_store_that_cannot_be_written(call, home):
    home.write_text("")
    done = call("sb-library", "build", status=1)
    (line,) = done.stderr.decode().splitlines()
    assert "cannot be written there" in line
    assert "SPECBRIDGE_HOME" in line


def test_list_tells_what_there_is(call, home):
    call("sb-library", "build", "--threads", "1")
    rows = list(csv.DictReader(io.StringIO(call("sb-library").stdout.decode()), delimiter="\t"))
    assert [(row["what"], row["status"], row["molecules"]) for row in rows] == [
        ("library", "present", str(N_MOLECULES)), ("index", "present", str(N_MOLECULES)),
    ]  # fmt: skip
    assert rows[0]["licence"] == "CC0-1.0"
    listed = json.loads(call("sb-library", "list", "--format", "json").stdout)
    assert [row["path"] for row in listed] == [row["path"] for row in rows]


def test_a_terminal_gets_a_table(home):
    from specbridge_tools.library.listing import list_library
    from specbridge_tools.report.library_table import write_library_files

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    write_library_files(list_library(), terminal)
    assert "absent" in terminal.getvalue()
    assert "0 MB" in terminal.getvalue()


def test_export_writes_the_table(call, home, tmp_path):
    done = call("sb-library", "export")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode()), delimiter="\t"))
    assert len(rows) == N_MOLECULES
    assert {row["id"]: row["name"] for row in rows}["pubchem:241"] == "Benzol, α-frei"
    assert b"molecules written, licence CC0-1.0" in done.stderr
    call("sb-library", "export", "-o", "t.tsv")
    assert (tmp_path / "t.tsv").read_bytes() == done.stdout
