"""Both foundation models in their published size, weights random: the whole way on the examples, and its memory."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from builders import first_examples

EXAMPLES = Path(__file__).parents[1] / "examples"
BIN = Path(sys.executable).parent
N_SPECTRA, N_MOLECULES = 60, 150  # molecules: beside those of the spectra
DREAMS_PARAMETERS = 95_543_384
CHEMBERTA_PARAMETERS = 43_385_856  # and a pooler of 590,592 that nobody asks for
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
LETTERS = "cC()O12=N.n3F~-4S#/s5oPIB6\\7%89pb*"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def write_dreams(path):
    """A self-supervised checkpoint in the official layout: heads, and the frequencies under both their names."""
    import torch

    from specbridge_tools.encoders.spectral.dreams.network import DreamsConfig, DreamsNetwork

    torch.manual_seed(0)
    network = DreamsNetwork(DreamsConfig.official())
    assert sum(parameter.numel() for parameter in network.parameters()) == DREAMS_PARAMETERS
    heads = {"ff_out.ff.0.weight": torch.zeros(8, 1024), "ro_out.weight": torch.zeros(1, 2048)}
    state = {**network.state_dict(), **heads, "fourier_enc.Fourier frequencies": network.fourier_enc.b}
    torch.save({"state_dict": state, "epoch": 0}, path)


def write_chemberta(folder):
    """6 layers, 768 wide, 600 words and an empty merges file: the layout of ChemBERTa_augmented_pubchem_13m."""
    import torch
    from transformers import RobertaConfig, RobertaModel

    folder.mkdir()
    atoms = [f"[{i}C]" for i in range(600 - len(SPECIAL) - len(LETTERS))]
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *LETTERS, *atoms))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    sizes = {"hidden_size": 768, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 3072}
    numbers = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
    torch.manual_seed(0)
    config = RobertaConfig(vocab_size=len(vocabulary), max_position_embeddings=515, **sizes, **numbers)
    model = RobertaModel(config, add_pooling_layer=False)
    assert sum(parameter.numel() for parameter in model.parameters()) == CHEMBERTA_PARAMETERS
    model.save_pretrained(folder)


def write_inputs(spectra, path):
    """Some of the example spectra, their molecules, and as many others of the example library as decoys need."""
    text = first_examples(N_SPECTRA)
    spectra.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    truths = dict.fromkeys(line.removeprefix("SMILES=") for line in lines if line.startswith("SMILES="))
    with (EXAMPLES / "molecules.tsv").open(encoding="utf-8", newline="") as stream:
        others = [row["smiles"] for row in csv.DictReader(stream, delimiter="\t")][:N_MOLECULES]
    rows = [f"M{i}\t{smiles}\n" for i, smiles in enumerate([*truths, *others])]
    path.write_text("id\tsmiles\n" + "".join(rows), encoding="utf-8")


def expected_vectors(folder, smiles):
    """Of the first token, by transformers alone."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        return [model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 0].numpy() for text in smiles]


# A process is taken to need what the one needed that started it, so that must be a small one, unlike pytest.
MEASURE = """
import os, subprocess, sys
with open("stderr", "wb") as stderr:
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=stderr)
    _, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss / 2**20, usage.ru_utime + usage.ru_stime)
"""


@pytest.fixture
def run(tmp_path):
    """Run a command in the folder of the test, print the peak of its memory, and return that in GiB."""

    def run_command(name, *arguments):
        command = [sys.executable, "-c", MEASURE, BIN / name, *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        status, peak, seconds = map(float, done.stdout.split())
        assert status == 0, (tmp_path / "stderr").read_text()
        print(f"{name} {arguments[0]}\t{peak:.2f} GiB\t{seconds:.0f} s of CPU")
        return peak

    return run_command


@pytest.mark.filterwarnings("ignore")
def test_both_go_the_whole_way(run, tmp_path):
    write_dreams(tmp_path / "ssl_model.ckpt")
    write_chemberta(tmp_path / "chemberta")
    write_inputs(tmp_path / "spectra.mgf", tmp_path / "molecules.tsv")
    run("sb-models", "import", "ssl_model.ckpt", "ssl.safetensors")
    run("sb-split", "spectra.mgf", "--by", "molecule", "--fractions", "0.5,0.5", "-o", "parts/")
    embed = ("molecules.tsv", "--encoder", "chemberta:chemberta", "--dtype", "float32", "-o", "m.h5")
    assert run("sb-embed-mols", *embed) < 2
    with h5py.File(tmp_path / "m.h5") as file:
        smiles, vectors = file["smiles"].asstr()[:3].tolist(), file["embedding"][:3]
    np.testing.assert_allclose(vectors, expected_vectors(tmp_path / "chemberta", smiles), rtol=0, atol=1e-5)
    start = ("parts/train.mgf", "--validation", "parts/val.mgf", "--molecules", "m.h5")
    one_step = ("--preset", "specbridge", "--spectral-encoder", "dreams:ssl.safetensors", "--epochs", 1)
    run("sb-finetune", *start, *one_step, "--device", "cpu", "-o", "model.safetensors")
    assert "58.2 M of 128.6 M parameters learn" in (tmp_path / "stderr").read_text()
    embed = ("parts/val.mgf", "--model", "model.safetensors", "--device", "cpu", "-o", "s.h5")
    assert run("sb-embed-spectra", *embed) < 2
    run("sb-build-index", "m.h5", "--model", "model.safetensors", "-o", "i.h5")
    run("sb-query", "s.h5", "--index", "i.h5", "--model", "model.safetensors", "--top", 0, "-o", "hits.tsv")
    with (tmp_path / "hits.tsv").open(newline="") as stream:
        hits = list(csv.DictReader(stream, delimiter="\t"))
    titles = [line[6:].strip() for line in (tmp_path / "parts/val.mgf").open() if line.startswith("TITLE=")]
    assert list(dict.fromkeys(row["query_id"] for row in hits)) == titles
    scores = np.array([float(row["score"]) for row in hits if row["score"]])
    assert len(scores) >= len(titles)
    assert (np.abs(scores) <= 1.001).all()
