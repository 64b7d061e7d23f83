import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from specbridge_tools.compiled import compiled

PROGRAM = """
from specbridge_tools.fragmentation.fragments.fragmenter import fragment
from specbridge_tools.molecules.smiles_graph import molecular_graph
print(len(fragment(molecular_graph("CCO"))))
"""


def test_without_a_folder_to_keep_it_in_a_function_is_compiled_all_the_same(monkeypatch):
    real = numba.njit

    def njit(function, *, cache=False, **settings):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(function, **settings)

    monkeypatch.setattr(numba, "njit", njit)
    double = compiled(lambda value: 2 * value)
    assert double(21) == 42


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
