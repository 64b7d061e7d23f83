"""What becomes of SMILES in the tokenizers of the folders that are in use."""

import json
import shutil

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from specbridge_tools.encoders.chemberta import ChembertaEncoder
from specbridge_tools.encoders.tokens import SAMPLE, check_tokenizer, lost_letters
from specbridge_tools.errors import DataError

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
ATOMS = ("Cl", "Br", "[C@@H]", "[Na+]", "[nH]", "[N+]", *"CNOSPFIcnos()=#-123456789.")
pytestmark = pytest.mark.filterwarnings("ignore")


def numbered(words):
    return {word: number for number, word in enumerate(dict.fromkeys((*SPECIAL, *words)))}


@pytest.fixture
def atoms(tmp_path):
    """Folder of a tokenizer that parts SMILES into atoms, by a tokenizer.json."""
    tokenizer = Tokenizer(models.WordLevel(numbered(ATOMS), unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[[^\]]+\]|Br|Cl|."), "isolated")
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def without_merges(tmp_path):
    """A function that writes a folder in RoBERTa's layout with these words and an empty merges file."""

    def write(words):
        (tmp_path / "vocab.json").write_text(json.dumps(numbered(words)))
        (tmp_path / "merges.txt").write_text("#version: 0.2\n")
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta", "vocab_size": 64}))
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer"}))
        return tmp_path

    return write


def tokens(folder, smiles):
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer.convert_ids_to_tokens(tokenizer(smiles)["input_ids"])[1:-1]


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CCCl", ["C", "C", "Cl"]),
        ("BrCC", ["Br", "C", "C"]),
        ("C[C@@H](N)O", ["C", "[C@@H]", "(", "N", ")", "O"]),
        ("[Na+].CO", ["[Na+]", ".", "C", "O"]),
    ],
)
def test_atoms_stay_whole_where_the_tokenizer_knows_them(atoms, smiles, expected):
    assert tokens(atoms, smiles) == expected
    assert lost_letters(AutoTokenizer.from_pretrained(atoms), smiles) == ""


@pytest.mark.parametrize(
    ("smiles", "expected", "lost"),
    [
        ("CCCl", ["C", "C", "C"], "l"),
        ("BrCC", ["C", "C"], "Br"),
        ("C[C@@H](N)O", ["C", "C", "(", "N", ")", "O"], "[@@H]"),
        ("[Na+].CO", ["N", ".", "C", "O"], "[a+]"),
    ],
)
def test_without_merges_letters_alone_are_read_as_in_the_training(without_merges, smiles, expected, lost):
    """RoBERTa's tokenizer never makes the atoms of such a vocabulary; the model has learned from what is left."""
    folder = without_merges(ATOMS)
    assert tokens(folder, smiles) == expected
    assert lost_letters(AutoTokenizer.from_pretrained(folder), smiles) == lost


def test_without_merges_and_with_all_letters_nothing_is_lost(without_merges):
    folder = without_merges([*ATOMS, *"[]@+Brl", "a", "H"])
    assert tokens(folder, "C[C@@H](Cl)Br") == [*"C[C@@H](Cl)Br"]
    assert tokens(folder, "[Na+]") == [*"[Na+]"]


def test_little_that_is_lost_is_told(without_merges, caplog):
    check_tokenizer(AutoTokenizer.from_pretrained(without_merges(ATOMS)), "folder")
    (line,) = caplog.messages
    assert line.startswith("folder: its vocabulary lacks + B H [ ] l r, ")
    share = float(line.split(", ")[1].split(" %")[0])
    expected = sum(sum(map(text.count, "+BHlr[]")) for text in SAMPLE) / sum(map(len, SAMPLE))
    assert share == pytest.approx(100 * expected, abs=0.05)
    assert 1 < share < 5


def test_nothing_is_said_where_nothing_is_lost(atoms, caplog):
    check_tokenizer(AutoTokenizer.from_pretrained(atoms), "folder")
    assert caplog.messages == []


def test_a_tokenizer_of_another_language_is_refused(roberta_folder, tmp_path):
    folder = tmp_path / "wrong"
    shutil.copytree(roberta_folder, folder)
    stored = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = stored["model"]["vocab"]
    renamed = {"C": "Q", "c": "q", "(": "{", ")": "}"}
    stored["model"]["vocab"] = {renamed.get(word, word): number for word, number in vocabulary.items()}
    (folder / "tokenizer.json").write_text(json.dumps(stored))
    with pytest.raises(DataError, match=r"its tokenizer loses .* at most 10% may be unknown") as refused:
        ChembertaEncoder(folder)
    assert str(folder) in str(refused.value)
    assert np.isfinite(ChembertaEncoder(roberta_folder).encode(["CCO"])).all()
