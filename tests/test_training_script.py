"""examples/train_default_model.sh from end to end, with little of everything."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from specbridge_tools.bridge.checkpoint import load_model
from specbridge_tools.fragmentation.ranker_file import load_ranker
from specbridge_tools.molecules.identity import structure
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.reader import read_molecules
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.spectrum import Spectrum

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPT = EXAMPLES / "train_default_model.sh"
LITTLE = {"EPOCHS": "1", "RANKER_EPOCHS": "1", "RANKER2_EPOCHS": "1", "SIMULATED": "500", "THREADS": "2"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def run(*arguments):
    done = subprocess.run([SCRIPT, *arguments], env={**os.environ, **LITTLE}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of the script, and what it said."""
    folder = tmp_path_factory.mktemp("training")
    rows = ["inchikey14\tsmiles\texact_mass"]
    for molecule in read_molecules(EXAMPLES / "molecules.tsv"):
        if isinstance(molecule, Molecule):
            rows.append(f"{molecule.inchikey14}\t{molecule.smiles}\t{molecule.exact_mass}")
    pool = folder / "pool.tsv"
    pool.write_text("\n".join(rows) + "\n")
    return folder / "work", pool, run(EXAMPLES / "spectra.mgf", pool, folder / "work")


def test_the_model_is_whole(trained):
    folder, _, _ = trained
    model = load_model(folder / "model.safetensors")
    ranker = load_ranker(folder / "model.safetensors")
    assert model.calibration
    assert len(ranker.networks) == 2
    assert ranker.config["fragment_weight"] > 0
    assert ranker.setting(2).calibration != ranker.setting(1).calibration


def test_the_held_back_molecules_are_never_simulated(trained):
    folder, _, _ = trained
    held_back = set((folder / "held_back.txt").read_text().split())
    spectra = read_spectra(folder / "simulated.mgf")
    simulated = {structure(spectrum).inchikey14 for spectrum in spectra if isinstance(spectrum, Spectrum)}
    assert len(held_back) >= 5
    assert len(simulated) >= 300
    assert not held_back & simulated


def test_the_model_beats_rankings_that_know_no_spectrum(trained, tmp_path):
    """On all spectra, most of which it was trained on."""
    folder, _, _ = trained
    spectra, hits = EXAMPLES / "spectra.mgf", tmp_path / "hits.tsv"
    model = ["--index", folder / "index.h5", "--model", folder / "model.safetensors"]
    subprocess.run(["sb-query", spectra, *model, "--top", "0", "-o", hits], check=True)
    command = ["sb-evaluate", hits, "--truth", spectra, "--format", "json"]
    metrics = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    recall = {
        row["ranking"]: row["value"]
        for row in metrics
        if (row["subset"], row["metric"], row["over"]) == ("all", "recall@5", "molecules")
    }
    assert recall["score"] > max(recall["random"], recall["spectrum_blind"]) + 0.1


def test_what_is_there_is_not_made_again(trained):
    folder, pool, first = trained
    assert "make" in first.split()
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert "make" not in run(EXAMPLES / "spectra.mgf", pool, folder).split()
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
