"""What becomes of SMILES in the tokenizers of the folders that are in use."""

import csv
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import ByteLevelBPETokenizer, Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

from specbridge_tools.encoders.molecular.chemberta.encoder import ChembertaEncoder
from specbridge_tools.encoders.molecular.chemberta.tokenizer import (
    MOST_UNKNOWN,
    SAMPLE,
    check_tokenizer,
    lost_letters,
    read_tokenizer,
)
from specbridge_tools.errors import DataError

EXAMPLES = Path(__file__).parents[5] / "examples" / "molecules.tsv"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
SPECIAL_OF_77M = ("[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>")
# atoms, and the single letters of the published vocabularies with an empty merges file: no l, r, a, H, +, @, [ or ]
LETTERS = "cC()O12=N.n3F~-4S#/s5oPIB6\\7%89pb*"
ATOMS = ("Cl", "Br", "[C@@H]", "[C@H]", "[Na+]", "[nH]", "[N+]", "[O-]", *LETTERS)
pytestmark = pytest.mark.filterwarnings("ignore")


def numbered(words):
    return {word: number for number, word in enumerate(dict.fromkeys(words))}


@pytest.fixture
def atoms(tmp_path):
    """Folder of a tokenizer that parts SMILES into atoms, by a tokenizer.json."""
    tokenizer = Tokenizer(models.WordLevel(numbered((*SPECIAL, *ATOMS)), unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\[[^\]]+\]|Br|Cl|."), "isolated")
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(tmp_path)
    return tmp_path


def byte_pairs(vocabulary, ends, *, unknown=None):
    """RobertaTokenizerFast over an empty merges file, as the library `tokenizers` has it."""
    made = Tokenizer(models.BPE(vocabulary, [], unk_token=unknown))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    first, last = ((word, vocabulary[word]) for word in ends)
    made.post_processor = processors.RobertaProcessing(last, first, add_prefix_space=False)
    return made


@pytest.fixture
def without_merges(tmp_path):
    """A function that writes a folder in RoBERTa's layout with these words and an empty merges file.

    `of_77m`: the names of special tokens, and the settings without a class, of the folders 77M-MLM and 77M-MTR.
    """

    def write(words=ATOMS, *, of_77m=False):
        (tmp_path / "vocab.json").write_text(json.dumps(numbered((*(SPECIAL_OF_77M if of_77m else SPECIAL), *words))))
        (tmp_path / "merges.txt").write_text("#version: 0.2 - Trained by `huggingface/tokenizers`\n")
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta", "vocab_size": 64}))
        settings = {"tokenizer_class": "RobertaTokenizer"}
        if of_77m:
            names = {"unk": "[UNK]", "bos": "<s>", "eos": "</s>", "sep": "[SEP]", "cls": "[CLS]", "pad": "[PAD]"}
            settings = {"max_len": 512, **{f"{name}_token": word for name, word in names.items()}}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
        return tmp_path

    return write


def tokens(folder, smiles):
    tokenizer = read_tokenizer(folder)
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
    assert lost_letters(read_tokenizer(atoms), smiles) == ""


@pytest.mark.parametrize("of_77m", [False, True])
@pytest.mark.parametrize(
    ("smiles", "expected", "lost"),
    [
        ("CCCl", ["C", "C", "C"], "l"),
        ("BrCC", ["B", "C", "C"], "r"),
        ("C[C@@H](N)O", ["C", "C", "(", "N", ")", "O"], "[@@H]"),
        ("[Na+].CO", ["N", ".", "C", "O"], "[a+]"),
    ],
)
def test_without_merges_letters_alone_are_read_as_in_the_training(without_merges, smiles, expected, lost, of_77m):
    """The tokenizer of the training never makes the atoms of such a vocabulary; the model learned from what is left."""
    folder = without_merges(of_77m=of_77m)
    vocabulary = json.loads((folder / "vocab.json").read_text())
    trained = byte_pairs(vocabulary, ("[CLS]", "[SEP]") if of_77m else ("<s>", "</s>"))
    assert read_tokenizer(folder)(smiles)["input_ids"] == trained.encode(smiles).ids
    assert tokens(folder, smiles) == expected
    assert lost_letters(read_tokenizer(folder), smiles) == lost


def test_all_molecules_of_the_examples_are_read_as_in_the_training(without_merges):
    folder = without_merges()
    trained = byte_pairs(json.loads((folder / "vocab.json").read_text()), ("<s>", "</s>"))
    smiles = [row["smiles"] for row in itertools.islice(csv.DictReader(EXAMPLES.open(), delimiter="\t"), 2000)]
    assert read_tokenizer(folder)(smiles)["input_ids"] == [found.ids for found in trained.encode_batch(smiles)]


@pytest.mark.parametrize("unknown", [None, "<unk>"])
def test_the_tokenizer_of_the_training_is_the_one_in_tokenizer_json(without_merges, unknown):
    folder = without_merges()
    stored = byte_pairs(json.loads((folder / "vocab.json").read_text()), ("<s>", "</s>"), unknown=unknown)
    stored.save(str(folder / "tokenizer.json"))
    assert tokens(folder, "CCCl") == ["C", "C", "C", *filter(None, [unknown])]
    assert lost_letters(read_tokenizer(folder), "CCCl") == "l"
    for smiles in SAMPLE:
        assert read_tokenizer(folder)(smiles)["input_ids"] == stored.encode(smiles).ids


def test_with_merges_letters_are_joined(tmp_path):
    """ChemBERTa-zinc-base-v1: vocab.json and merges.txt, as byte pair encoding writes them, and no tokenizer.json."""
    smiles = [row["smiles"] for row in itertools.islice(csv.DictReader(EXAMPLES.open(), delimiter="\t"), 2000)]
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(smiles, vocab_size=767, special_tokens=list(SPECIAL), show_progress=False)
    trained.save_model(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta", "vocab_size": 767}))
    found = read_tokenizer(tmp_path)
    assert "Cl" in tokens(tmp_path, "ClCCBr")
    assert found(smiles, add_special_tokens=False)["input_ids"] == [each.ids for each in trained.encode_batch(smiles)]
    assert {lost_letters(found, text) for text in SAMPLE} == {""}


def test_what_differs_in_lost_letters_alone_has_one_vector(without_merges, caplog):
    folder = without_merges()
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = RobertaConfig(vocab_size=64, max_position_embeddings=60, pad_token_id=1, **sizes)
    RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    vectors = ChembertaEncoder(folder).encode(["CCCl", "CCC", "CCF"])
    assert vectors[0].tolist() == vectors[1].tolist() != vectors[2].tolist()
    (line,) = [line for line in caplog.messages if "its vocabulary lacks" in line]
    assert str(folder) in line


def test_without_merges_and_with_all_letters_nothing_is_lost(without_merges):
    folder = without_merges([*ATOMS, *"[]@+Brl", "a", "H"])
    assert tokens(folder, "C[C@@H](Cl)Br") == [*"C[C@@H](Cl)Br"]
    assert tokens(folder, "[Na+]") == [*"[Na+]"]


def test_little_that_is_lost_is_told(without_merges, caplog):
    check_tokenizer(read_tokenizer(without_merges()), "folder")
    (line,) = caplog.messages
    assert line.startswith("folder: its vocabulary lacks + H [ ] l r, ")
    share = float(line.split(", ")[1].split(" %")[0])
    expected = sum(sum(map(text.count, "+Hlr[]")) for text in SAMPLE) / sum(map(len, SAMPLE))
    assert share == pytest.approx(100 * expected, abs=0.05)
    assert 1 < share < 5


@pytest.mark.parametrize("unknown", [None, "<unk>"])
def test_more_than_a_tenth_is_too_much(without_merges, unknown):
    """Ring closures and carbonyl oxygens, 13.0 % of the letters of the sample, dropped or made the unknown token."""
    words = [word for word in ATOMS if word not in ("1", "O")]
    folder = without_merges(words)
    vocabulary = json.loads((folder / "vocab.json").read_text())
    byte_pairs(vocabulary, ("<s>", "</s>"), unknown=unknown).save(str(folder / "tokenizer.json"))
    share = sum(sum(map(text.count, "1O+Hlr[]")) for text in SAMPLE) / sum(map(len, SAMPLE))
    assert share > MOST_UNKNOWN
    with pytest.raises(DataError, match=f"loses {share:.0%} of the letters .* at most 10% may be unknown"):
        check_tokenizer(read_tokenizer(folder), folder)


def test_nothing_is_said_where_nothing_is_lost(atoms, caplog):
    check_tokenizer(read_tokenizer(atoms), "folder")
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


def test_a_tokenizer_that_is_code_is_refused_in_a_whole_sentence(tmp_path):
    config = {"auto_map": {"AutoTokenizer": ["tokenization_x.XTokenizer", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(DataError) as refused:
        read_tokenizer(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}/tokenizer_config.json: auto_map asks for a tokenizer that is code beside the weights, which is "
        "never run; put its tokenizer.json there, or take a model without code"
    )


def test_where_data_say_the_same_the_code_is_not_needed(atoms):
    path = atoms / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": {"AutoTokenizer": ["x.X", None]}}))
    assert read_tokenizer(atoms)("CCl", add_special_tokens=False)["input_ids"]


def test_long_reasons_end_with_a_whole_word(tmp_path):
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(DataError) as refused:
        read_tokenizer(tmp_path)
    assert refused.value.message.endswith(" ...)") or len(refused.value.message) < 240
