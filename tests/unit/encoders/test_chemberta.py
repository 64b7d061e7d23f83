"""SMILES language models from a folder."""

import shutil

import numpy as np
import pytest
import torch

from specbridge_tools.encoders.chemberta import ChembertaEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.provenance import sha256_file

SMILES = ["CCO", "CCCCO", "c1ccccc1", "C", "NCC(=O)O", "CCN"]
LONGEST = 22  # letters beside <s> and </s>


def reference(folder, smiles, pooling):
    """One SMILES at a time, through transformers alone."""
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.no_grad():
        for text in smiles:
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            rows.append((hidden[0] if pooling == "cls" else hidden.mean(dim=0)).numpy())
    return np.stack(rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_vectors_are_those_of_each_smiles_alone(roberta_folder, pooling):
    encoder = ChembertaEncoder(roberta_folder, pooling=pooling, batch_size=2)
    vectors = encoder.encode(SMILES)
    assert vectors.shape == (6, 16)
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(reference(roberta_folder, SMILES, pooling), abs=1e-5)
    assert encoder.truncated == []


@pytest.mark.filterwarnings("ignore")
def test_neighbours_and_threads_change_no_bit(roberta_folder):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        encoder = ChembertaEncoder(roberta_folder, pooling="mean", batch_size=8)
        smiles = SMILES * 5
        together = encoder.encode(smiles)
        torch.set_num_threads(1)
        alone = np.concatenate([encoder.encode([one]) for one in smiles])
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(together, alone)


def test_what_is_too_long_is_cut_and_named(roberta_folder):
    encoder = ChembertaEncoder(roberta_folder, pooling="mean")
    fits, first, second = "C" * LONGEST, "C" * (LONGEST + 1), "C" * LONGEST + "N"
    vectors = encoder.encode([fits, first, second])
    assert encoder.truncated == [first, second]
    assert vectors[1] == pytest.approx(vectors[0], abs=1e-6)
    assert vectors[2] == pytest.approx(vectors[0], abs=1e-6)
    encoder.encode([first])
    assert encoder.truncated == [first, second, first]


def test_name_and_hash(roberta_folder, tmp_path):
    encoder = MOLECULE_ENCODERS.create(f"chemberta:{roberta_folder},pooling=mean")
    assert encoder.name == "chemberta:tiny-chemberta,pooling=mean"
    assert encoder.weights_sha256 == sha256_file(roberta_folder / "model.safetensors")
    other = tmp_path / "two"
    shutil.copytree(roberta_folder, other)
    shutil.copy(other / "model.safetensors", other / "more.safetensors")
    assert len({encoder.weights_sha256, ChembertaEncoder(other).weights_sha256}) == 2


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        ("", UsageError, "needs a folder"),
        ("nosuch", DataError, "no such folder; give a local folder, or --allow-download"),
        ("nosuch,pooling=max", UsageError, "no pooling 'max'"),
        ("nosuch,depth=3", UsageError, "unknown encoder option"),
    ],
)
def test_arguments(argument, error, message):
    with pytest.raises(error, match=message):
        MOLECULE_ENCODERS.create(f"chemberta:{argument}")


def test_a_folder_without_a_model_is_a_data_error(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(DataError, match="holds no model and tokenizer"):
        ChembertaEncoder(tmp_path)


def test_a_model_that_wants_its_own_code_is_refused(roberta_folder, tmp_path):
    folder = tmp_path / "remote"
    shutil.copytree(roberta_folder, folder)
    (folder / "config.json").write_text('{"model_type": "own", "auto_map": {"AutoModel": "own.Own"}}')
    (folder / "own.py").write_text("raise SystemExit(9)")
    with pytest.raises(DataError, match="holds no model and tokenizer"):
        ChembertaEncoder(folder)


def test_a_download_without_a_network_is_a_data_error():
    with pytest.raises(DataError, match="cannot be downloaded"):
        ChembertaEncoder("somebody/some-model", allow_download=True)


def test_no_such_device(roberta_folder):
    with pytest.raises(UsageError, match="device 'cuda:99' cannot be used here"):
        ChembertaEncoder(roberta_folder, device="cuda:99")
