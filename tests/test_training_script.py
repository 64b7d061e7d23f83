"""What trains the model that ships, examples/train_default_model.sh from end to end, with little of everything."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from specbridge_tools.bridge.checkpoint import load_model
from specbridge_tools.embeddings.molecules import open_molecule_embeddings
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.identification.references import reference_fusion
from specbridge_tools.molecules.identity import structure
from specbridge_tools.molecules.molecule import Molecule
from specbridge_tools.molecules.reader import read_molecules
from specbridge_tools.ranking.ranking_file import find_ranking
from specbridge_tools.spectra.reader import read_spectra
from specbridge_tools.spectra.spectrum import Spectrum

EXAMPLES = Path(__file__).parents[1] / "examples"
SPECTRA, SCRIPT = EXAMPLES / "spectra.mgf", EXAMPLES / "train_default_model.sh"
LITTLE = {"EPOCHS": "1", "FRAGMENT_EPOCHS": "1", "SIMULATED": "500", "THREADS": "2"}


def run(script, *arguments):
    done = subprocess.run([script, *arguments], env={**os.environ, **LITTLE}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_model_that_names_molecules_and_knows_none_of_those_held_back(tmp_path):
    work, pool = tmp_path / "work", tmp_path / "pool.tsv"
    write_pool(pool)
    assert "make" in run(SCRIPT, SPECTRA, pool, work).stderr.split()
    check_parts(work / "model.safetensors")
    check_parts(work / "final.safetensors")
    check_final(work)
    check_simulated(work)
    recall = recall_at_5(work, tmp_path / "hits.tsv")
    assert recall["score"] > max(recall["random"], recall["spectrum_blind"]) + 0.1
    # what is there is not made again
    assert "make" not in run(SCRIPT, SPECTRA, pool, work).stderr.split()
    check_curve(run(EXAMPLES / "training" / "learning_curve.sh", pool, work).stdout, work)


def write_pool(path):
    rows = ["inchikey14\tsmiles\texact_mass"]
    for molecule in read_molecules(EXAMPLES / "molecules.tsv"):
        if isinstance(molecule, Molecule):
            rows.append(f"{molecule.inchikey14}\t{molecule.smiles}\t{molecule.exact_mass}")
    path.write_text("\n".join(rows) + "\n")


def check_parts(model):
    ranker = load_ranker(model)
    assert load_model(model).calibration
    assert len(ranker.networks) == 1
    assert ranker.config["fragment_weight"] > 0
    assert ranker.fusion(2).calibration != ranker.fusion(1).calibration
    one, several = (reference_fusion(ranker.config, n_spectra) for n_spectra in (1, 2))
    assert one.weights["analog_max"] > 0
    assert one.calibration
    assert one.calibration != several.calibration
    ranking = find_ranking(model)
    assert ranking.linear(1)["analog_max"] == one.weights["analog_max"]
    assert ranking.calibration(1)["coverage"][-1] > 0


def check_final(work):
    """Other networks, of more molecules; what was fitted to those held back is as it was."""
    models = fitted, final = [load_model(work / f"{name}.safetensors") for name in ("model", "final")]
    assert final.calibration == fitted.calibration
    rankings = [find_ranking(model.path) for model in models]
    assert [rankings[1].linear(n) for n in (1, 2)] == [rankings[0].linear(n) for n in (1, 2)]
    first, second = [load_ranker(model.path) for model in models]
    assert second.config == first.config
    assert not np.array_equal(first.networks[0]["out.weight"], second.networks[0]["out.weight"])
    held_back = len(fitted.training_summary["validation_keys"])
    assert final.training_summary["fitted_to"] == fitted.training_summary["validation_keys"]
    # those that are similar to one held back are left out before, too
    assert final.training_summary["training_molecules"] >= fitted.training_summary["training_molecules"] + held_back


def check_simulated(work):
    """No molecule that was held back has a simulated spectrum."""
    held_back, simulated = (keys(read_spectra(work / name)) for name in ("parts/val.mgf", "simulated.mgf"))
    assert len(held_back) >= 5
    assert len(simulated) >= 300
    assert not held_back & simulated


def check_curve(table, work):
    """A row for each share of the molecules, the smaller ones parts of the larger ones."""
    _, _, *rows = (line[2:-2].split(" | ") for line in table.splitlines())
    parts = [keys(read_spectra(work / "curve" / f"{percent}.mgf")) for percent in (25, 50, 100)]
    assert parts[0] < parts[1] < parts[2] == keys(read_spectra(work / "parts" / "train.mgf"))
    assert [int(row[0]) for row in rows] == [len(part) for part in parts]
    for _, _, *recalls in rows:
        for at_1, at_5, at_20 in (map(float, recall.split(" / ")) for recall in recalls):
            assert 0 <= at_1 <= at_5 <= at_20 <= 100
    assert any(float(recall.split(" / ")[2]) > 0 for recall in rows[2][2:])


def keys(spectra):
    return {structure(spectrum).inchikey14 for spectrum in spectra if isinstance(spectrum, Spectrum)}


def recall_at_5(work, hits):
    """{ranking: mean over molecules} of all spectra, most of which the model was trained on."""
    model = ["--index", work / "index.h5", "--model", work / "model.safetensors"]
    subprocess.run(["sb-query", SPECTRA, *model, "--top", "0", "-o", hits], check=True)
    command = ["sb-evaluate", hits, "--truth", SPECTRA, "--format", "json"]
    metrics = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    wanted = ("all", "recall@5", "molecules")
    return {row["ranking"]: row["value"] for row in metrics if (row["subset"], row["metric"], row["over"]) == wanted}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_spaces_and_encoders_to_compare_with(tmp_path):
    """A SMILES transformer that sb-embed-mols reads, and an encoder that guessed hidden peaks."""
    stages, molecules, some = EXAMPLES / "training", tmp_path / "molecules.h5", tmp_path / "some.tsv"
    some.write_text("".join((EXAMPLES / "molecules.tsv").read_text().splitlines(keepends=True)[:2001]))

    def run_quietly(*command):
        subprocess.run([str(part) for part in command], check=True, capture_output=True)

    run_quietly("sb-embed-mols", some, "--encoder", "morgan:bits=512,dimension=32", "-o", molecules)
    run_quietly(sys.executable, stages / "train_smiles_encoder.py", molecules, "-o", tmp_path / "smiles", "--most", 500)
    run_quietly(
        "sb-embed-mols", some, "--encoder", f"chemberta:{tmp_path}/smiles,pooling=mean", "-o", tmp_path / "s.h5"
    )
    with open_molecule_embeddings(tmp_path / "s.h5") as file:
        vectors = file.embedding[:].astype(float)
    assert vectors.shape == (2000, 384)
    assert vectors.std(axis=0).min() > 0
    masked = tmp_path / "masked.safetensors"
    run_quietly(sys.executable, stages / "masked_peaks.py", SPECTRA, molecules, "-o", masked, "--epochs", 1)
    assert load_model(masked).training_summary["masked_peaks"]["loss"] > 0
