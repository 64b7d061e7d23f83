"""Commands on 500 changed files of each format: each ends in its limits, with its output or with one line."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.cases import Case
from fuzz.limits import Outcome
from fuzz.texts import lost_of

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


@pytest.mark.parametrize(
    ("command", "stdout", "stderr"),
    [
        ("sb-info", b"file\tx\nkind\tspectra\nformat\tmgf\nn\t1\nn_rejected\t0\n", b""),
        ("sb-query", b"", b"1 spectra read, 0 rejected, 1 written, 0.1 s\n"),
    ],
)
def test_a_record_that_is_not_counted_is_a_finding(tmp_path, command, stdout, stderr):
    case = Case((command, "{file}"), "plain", b"BEGIN IONS\nEND IONS\r\nbegin ions\nEND IONS\n")
    lost = lost_of(rb"^[ \t]*BEGIN IONS[ \t]*$")
    assert lost(case, Outcome(0, stdout, stderr, False), tmp_path) == "lost: 2 records, 1 counted"
    skipped = stderr + b"sb-info: changed: 1 spectra skipped (MS1)\n"
    assert lost(case, Outcome(0, stdout, skipped, False), tmp_path) == ""
