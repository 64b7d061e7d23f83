"""Tests on a real Slurm and on real processes: `tests/hpc/run.sh` installs what they need and runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import first_examples

sys.path.insert(0, str(Path(__file__).parent))
if not os.environ.get("SPECBRIDGE_HPC"):
    collect_ignore_glob = ["test_*.py"]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    from cluster import cluster

    with cluster(tmp_path_factory.mktemp("slurm") / "files") as running:
        yield running


@pytest.fixture(scope="session")
def sb():
    """Run a command: sb("sb-query", ..., cwd=folder, status=0) -> what it wrote to stderr."""

    def run(*command, status=0, **settings):
        words = [str(word) for word in command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, **settings)
        assert done.returncode == status, done.stderr
        return done.stderr

    return run


@pytest.fixture(scope="session")
def data(tmp_path_factory, sb):
    """A folder with 1,500 molecules, 64 spectra, their index, and the hits of one process."""
    folder = tmp_path_factory.mktemp("data")
    lines = (EXAMPLES / "molecules.tsv").read_text().splitlines(keepends=True)
    (folder / "molecules.tsv").write_text("".join(lines[:1501]))
    (folder / "spectra.mgf").write_text(first_examples(64))
    sb("sb-embed-mols", "molecules.tsv", "-o", "molecules.h5", cwd=folder)
    sb("sb-build-index", "molecules.h5", "-o", "index.h5", cwd=folder)
    sb("sb-query", "spectra.mgf", "--index", "index.h5", "--rerank", "0", "-o", "hits.tsv", cwd=folder)
    return folder
