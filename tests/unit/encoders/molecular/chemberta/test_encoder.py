"""SMILES language models from a folder."""

import json
import os
import shutil

import numpy as np
import pytest
import torch

from specbridge_tools.encoders.molecular.chemberta.encoder import ChembertaEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, FormatError, UsageError
from specbridge_tools.provenance import sha256_file
from specbridge_tools.weights.store import add_weights

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


@pytest.mark.bytes
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


@pytest.fixture
def distilbert_folder(roberta_folder, tmp_path):
    """Another kind of network with the tokenizer of `roberta_folder`."""
    from transformers import DistilBertConfig, DistilBertModel

    folder = tmp_path / "distilbert"
    shutil.copytree(roberta_folder, folder, ignore=shutil.ignore_patterns("config.json", "*.safetensors"))
    torch.manual_seed(0)
    sizes = {"dim": 16, "hidden_dim": 24, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 30}
    DistilBertModel(DistilBertConfig(vocab_size=40, pad_token_id=1, **sizes)).save_pretrained(folder)
    return folder


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_other_networks_go_the_same_way(distilbert_folder, pooling):
    encoder = ChembertaEncoder(distilbert_folder, pooling=pooling, batch_size=4)
    smiles = SMILES * 3
    vectors = encoder.encode(smiles)
    assert vectors == pytest.approx(reference(distilbert_folder, smiles, pooling), abs=1e-5)
    alone = np.concatenate([encoder.encode([one]) for one in smiles])
    np.testing.assert_array_equal(vectors, alone)


@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_pickled_are_read_and_nothing_in_them_runs(roberta_folder, tmp_path, monkeypatch):
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(roberta_folder, folder)
    (folder / "model.safetensors").unlink()
    state = load_file(roberta_folder / "model.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    encoder = ChembertaEncoder(folder)
    np.testing.assert_array_equal(encoder.encode(SMILES), ChembertaEncoder(roberta_folder).encode(SMILES))
    assert encoder.weights_sha256 == sha256_file(folder / "pytorch_model.bin")

    class Evil:
        def __reduce__(self):
            return os.makedirs, (str(tmp_path / "made"),)

    for zipped in (True, False):
        torch.save({**state, "evil": Evil()}, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
        with pytest.raises(FormatError, match="is no checkpoint of plain tensors"):
            ChembertaEncoder(folder)
    assert not (tmp_path / "made").exists()


def test_weights_that_were_cut_are_a_data_error(roberta_folder, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(roberta_folder, folder)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match="is no safetensors file, or a broken one") as refused:
        ChembertaEncoder(folder)
    assert str(folder) in str(refused.value)


def test_a_name_finds_its_folder_in_the_store(roberta_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECBRIDGE_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"is not on this machine; sb-models add chemberta-augmented-pubchem-13m FILE"):
        MOLECULE_ENCODERS.create("chemberta:chemberta-augmented-pubchem-13m")
    add_weights("chemberta-augmented-pubchem-13m", roberta_folder)
    encoder = MOLECULE_ENCODERS.create("chemberta:chemberta-augmented-pubchem-13m,pooling=mean")
    assert encoder.name == "chemberta:chemberta-augmented-pubchem-13m,pooling=mean"
    expected = ChembertaEncoder(roberta_folder, pooling="mean")
    assert encoder.encode(SMILES).tolist() == expected.encode(SMILES).tolist()


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
    with pytest.raises(DataError, match="model_type is None; known: bert, distilbert, roberta"):
        ChembertaEncoder(tmp_path)


def test_a_folder_without_a_tokenizer_is_a_data_error(roberta_folder, tmp_path):
    for name in ("config.json", "model.safetensors"):
        shutil.copy(roberta_folder / name, tmp_path)
    with pytest.raises(DataError, match="tokenizer"):
        ChembertaEncoder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(DataError, match=r"holds no tokenizer .*; expected tokenizer\.json, or vocab\.json"):
        ChembertaEncoder(tmp_path)


def test_a_tokenizer_that_wants_its_own_code_is_refused(roberta_folder, tmp_path):
    for name in ("config.json", "model.safetensors"):
        shutil.copy(roberta_folder / name, tmp_path)
    settings = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "own.py").write_text("raise SystemExit(9)")
    with pytest.raises(DataError, match="tokenizer"):
        ChembertaEncoder(tmp_path)


def test_a_download_without_a_network_is_a_data_error():
    with pytest.raises(DataError, match="cannot be downloaded"):
        ChembertaEncoder("somebody/some-model", allow_download=True)


def test_no_such_device(roberta_folder):
    with pytest.raises(UsageError, match="device 'cuda:99' cannot be used here"):
        ChembertaEncoder(roberta_folder, device="cuda:99")
