"""The notebook of the examples runs from top to bottom, and shows what it says."""

import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
def test_the_notebook_identifies_and_draws(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for name in ("identify.ipynb", "spectra.mgf", "molecules.tsv"):
        shutil.copy(EXAMPLES / name, tmp_path)
    notebook = nbformat.read(tmp_path / "identify.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [output["data"] for output in outputs if "data" in output]
    assert sum("image/svg+xml" in data for data in shown) == 2
    tables = [data["text/plain"] for data in shown if "text/html" in data]
    assert len(tables) == 3
    assert "CS(=N)(=O)CCC(N)C(=O)O" in tables[0]
    assert "fragment_formula" in tables[2]
