"""Commands on 500 changed files of each format: each ends in its limits, with its output or with one line."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

# not by `sys.path`: modules beside it have the names of formats, as libraries have
FORMATS = runpy.run_path(str(Path(__file__).with_name("mutations.py")))["FORMATS"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="the limits of a child are those of Linux")
@pytest.mark.parametrize("name", FORMATS)
def test_changed_files(name, tmp_path):
    script = Path(__file__).with_name("mutations.py")
    command = [sys.executable, str(script), "--format", name, "--cases", "500", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
