import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from specbridge_tools import compiled as module
from specbridge_tools.compiled import compiled, is_private
from specbridge_tools.errors import EXIT_USAGE, UsageError

PROGRAM = """
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.molecules.smiles_graph import molecular_graph
print(len(fragment(molecular_graph("CCO"))))
"""


def double(value):
    return 2 * value


@pytest.fixture(autouse=True)
def nothing_remembered():
    module._folder.cache_clear()
    module._numba.cache_clear()
    yield
    module._folder.cache_clear()
    module._numba.cache_clear()


@pytest.fixture
def elsewhere(monkeypatch):
    """The package is not where this file is."""
    monkeypatch.setattr(module, "_PACKAGE", Path("/nonexistent"))


@pytest.fixture
def open_to_all(tmp_path):
    """A temporary folder that others may come into; pytest makes those above it for the user alone."""
    above = [folder for folder in tmp_path.parents if folder.stat().st_mode & 0o777 == 0o700]
    for folder in above:
        folder.chmod(0o755)
    tmp_path.chmod(0o755)
    yield tmp_path
    for folder in above:
        folder.chmod(0o700)


def test_without_a_folder_to_keep_it_in_a_function_is_compiled_all_the_same(monkeypatch):
    real = numba.njit

    def njit(function, *, cache=False, **settings):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(function, **settings)

    monkeypatch.setattr(numba, "njit", njit)
    loop = compiled(double)
    assert (loop(21), loop.stats.cache_path) == (42, None)


def test_a_folder_that_the_environment_names_is_used(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    loop = compiled(double)
    assert loop(21) == 42
    assert Path(loop.stats.cache_path).parent == tmp_path
    assert list(tmp_path.rglob("*double*.nbc"))


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_may_write_is_not_used(open_to_all, monkeypatch, elsewhere, mode):
    """numba unpickles what it finds there."""
    shared = open_to_all / "shared"
    shared.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(shared))
    prepared = Path(compiled(double).stats.cache_path)
    prepared.chmod(mode)
    loop = compiled(double)
    assert (loop(21), loop.stats.cache_path) == (42, None)
    prepared.chmod(0o755)
    assert compiled(double).stats.cache_path == str(prepared)


def test_where_the_package_cannot_be_written_the_cache_of_the_user_is(tmp_path, monkeypatch, elsewhere):
    tmp_path.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    folder = tmp_path / "specbridge_tools/compiled"
    assert Path(compiled(double).stats.cache_path).parent == folder
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ((0o700, 0o777), True),  # nobody comes as far as the second
        ((0o755, 0o755), True),
        ((0o1777, 0o755), True),  # as in /tmp: a folder of one's own cannot be exchanged
        ((0o777, 0o755), False),
        ((0o755, 0o775), False),
        ((0o755, 0o1777), False),
    ],
)
def test_folders_that_nobody_else_can_have_filled(open_to_all, modes, expected):
    inner = open_to_all / "inner"
    inner.mkdir()
    for folder, mode in zip((open_to_all, inner), modes, strict=True):
        folder.chmod(mode)
    assert is_private(inner) is expected


def test_a_folder_of_somebody_else_is_not_private(tmp_path, monkeypatch):
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner:
        assert not is_private(tmp_path)
    else:  # root could have put there whatever it likes anywhere
        os.chown(tmp_path, 4242, -1)
        assert not is_private(tmp_path)


def test_settings_of_numba_in_the_current_folder_are_refused(tmp_path, monkeypatch):
    """They could name a folder with prepared files."""
    monkeypatch.chdir(tmp_path)
    Path(".numba_config.yaml").write_text("cache_dir: prepared\n")
    with pytest.raises(UsageError, match="current folder"):
        compiled(double)
    code = "from specbridge_tools.cli.rerank import main; main()"
    Path("spectra.mgf").write_text("BEGIN IONS\nPEPMASS=47.05\n29.04 1\nEND IONS\n")
    command = [sys.executable, "-c", code, "h.tsv", "--spectra", "spectra.mgf", "--threads", "1"]
    Path("h.tsv").write_text(
        "query_id\trank\tscore\tsmiles\tadduct\tinchikey14\n1\t1\t0.5\tCCO\t[M+H]+\tLFQSCWFLJHTTHZ\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_USAGE
    assert ".numba_config.yaml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_was_compiled_is_kept_where_the_environment_says(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == "6\n"
        kept = {path: path.stat().st_mtime_ns for path in Path(tmp_path).rglob("*.nbc")}
        assert kept
    assert {path: path.stat().st_mtime_ns for path in Path(tmp_path).rglob("*.nbc")} == kept


@pytest.mark.slow
def test_an_installation_that_cannot_be_written_works(tmp_path):
    """As a user without a home, who may write nothing beside the modules either."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "6\n"
