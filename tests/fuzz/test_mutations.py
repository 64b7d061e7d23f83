"""Commands on 500 changed files of each format: each ends in its limits, with its output or with one line."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mutations import FORMATS


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limits of a child are those of Linux")
@pytest.mark.parametrize("name", FORMATS)
def test_changed_files(name, tmp_path):
    script = Path(__file__).with_name("mutations.py")
    command = [sys.executable, str(script), "--format", name, "--cases", "500", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
