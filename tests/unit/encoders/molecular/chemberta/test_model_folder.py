"""Folders in Hugging Face layout: weights fit their configuration, and a configuration is read as data."""

import json
import shutil
import tarfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (  # fmt: skip
    BertConfig,
    BertForPreTraining,
    DistilBertConfig,
    DistilBertForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
)

from specbridge_tools.encoders.molecular.chemberta.model_folder import MODEL_TYPES, read_network
from specbridge_tools.errors import DataError, FormatError, MismatchError

SIZES = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 32, "max_position_embeddings": 26, "pad_token_id": 1}  # fmt: skip
DISTILBERT = {"vocab_size": 40, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": 26}
QUERY = "encoder.layer.0.attention.self.query.weight"


@pytest.fixture
def folder(roberta_folder, tmp_path):
    """A copy of the tiny model that a test may change."""
    shutil.copytree(roberta_folder, tmp_path / "model")
    return tmp_path / "model"


def change_config(folder, **changes):
    path = folder / "config.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not ...}))


def change_weights(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def states(network):
    with torch.inference_mode():
        return network(input_ids=torch.tensor([[0, 5, 6, 7, 2]])).last_hidden_state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": 4}, r"32 missing \(encoder.layer.2.attention.output.LayerNorm.bias, .*, \.\.\.\);"),
        ({"num_hidden_layers": 1}, r"16 left over \(encoder.layer.1.attention.output.LayerNorm.bias, .*, \.\.\.\);"),
        ({"num_hidden_layers": ...}, "160 missing"),  # 12, where the configuration does not say
        ({"intermediate_size": 24}, r"of another shape \(.*intermediate.dense.bias 32, expected 24, "),
        ({"type_vocab_size": 1}, r"1 of another shape \(embeddings.token_type_embeddings.weight 2 x 16, "),
        ({"hidden_size": 32_000_000}, "of another shape"),  # and no memory for it is taken
        ({"add_cross_attention": True, "is_decoder": True}, r"missing \(encoder.layer.0.crossattention"),
        ({"model_type": "distilbert"}, "missing .* left over"),
    ],
)  # fmt: skip
def test_another_configuration_is_a_mismatch(folder, changes, message):
    change_config(folder, **changes)
    with pytest.raises(MismatchError, match=f"its tensors do not fit its configuration: .*{message}") as refused:
        read_network(folder)
    assert refused.value.exit_status == 3
    assert refused.value.where == folder / "model.safetensors"
    assert refused.value.advice == "use the config.json that came with these weights"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop(QUERY), rf"1 missing \({QUERY}\);"),
        (lambda tensors: tensors.update({"extra": torch.ones(1)}), r"1 left over \(extra\);"),
        (lambda tensors: tensors.update({f"electra.{QUERY}": tensors.pop(QUERY)}), r"missing .* left over \(electra"),
        (lambda tensors: tensors.update({QUERY: torch.ones(16, 8)}), rf"\({QUERY} 16 x 8, expected 16 x 16\)"),
        (lambda tensors: tensors.update({f"roberta.{QUERY}": tensors.pop(QUERY)}), "missing"),
        (lambda tensors: tensors.update({"encoder.layer.0.output.LayerNorm.gamma": torch.ones(16)}), "LayerNorm.gamma"),
        (lambda tensors: tensors.clear(), "missing"),
    ],
)  # fmt: skip
def test_other_tensors_are_a_mismatch(folder, change, message):
    change_weights(folder, change)
    with pytest.raises(MismatchError, match=message):
        read_network(folder)


def test_quantised_tensors_are_refused(folder):
    change_weights(folder, lambda tensors: tensors.update({QUERY: torch.ones(16, 16, dtype=torch.int8)}))
    with pytest.raises(FormatError, match=f"{QUERY} is torch.int8, expected floating-point numbers"):
        read_network(folder)


@pytest.mark.parametrize(
    ("config", "network"),
    [
        (RobertaConfig(**SIZES), RobertaForMaskedLM),
        (RobertaConfig(**SIZES), RobertaForSequenceClassification),
        (BertConfig(**SIZES), BertForPreTraining),
        (DistilBertConfig(**DISTILBERT), DistilBertForMaskedLM),
    ],
)
def test_heads_and_poolers_are_left_out(tmp_path, config, network):
    torch.manual_seed(0)
    made = network(config).eval()
    made.save_pretrained(tmp_path)
    torch.testing.assert_close(states(read_network(tmp_path)), states(made.base_model), rtol=0, atol=0)


def test_the_regression_of_published_weights_is_left_out(folder, roberta_folder):
    """The names in the weights of ChemBERTa-77M-MTR, with the position ids of the releases of its time."""

    def change(tensors):
        for name in list(tensors):
            tensors[f"roberta.{name}"] = tensors.pop(name)
        heads = ("norm_mean", "norm_std", "regression.dense.weight", "regression.out_proj.bias")
        tensors |= {name: torch.ones(3) for name in heads}
        tensors["roberta.embeddings.position_ids"] = torch.arange(26)[None]

    change_weights(folder, change)
    torch.testing.assert_close(states(read_network(folder)), states(read_network(roberta_folder)), rtol=0, atol=0)


def test_names_of_the_first_years_are_read(folder, roberta_folder):
    def change(tensors):
        for name in [name for name in tensors if "LayerNorm" in name]:
            tensors[name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta")] = tensors.pop(name)

    change_weights(folder, change)
    torch.testing.assert_close(states(read_network(folder)), states(read_network(roberta_folder)), rtol=0, atol=0)


def test_weights_in_several_files(folder, roberta_folder):
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"a.safetensors": names[:9], "b.safetensors": names[9:]}
    for file, of_file in parts.items():
        save_file({name: tensors[name] for name in of_file}, folder / file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: file for file in parts for name in parts[file]}}))
    torch.testing.assert_close(states(read_network(folder)), states(read_network(roberta_folder)), rtol=0, atol=0)
    index.write_text(json.dumps({"weight_map": {"x": "../other.safetensors"}}))
    with pytest.raises(FormatError, match="names no weight files of its folder"):
        read_network(folder)
    index.write_text(json.dumps({"weight_map": dict.fromkeys(parts["a.safetensors"], "a.safetensors")}))
    with pytest.raises(MismatchError, match="missing"):
        read_network(folder)


@pytest.mark.filterwarnings("ignore:.*tar.*")
def test_checkpoints_of_old_formats(folder, roberta_folder):
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    path = folder / "pytorch_model.bin"
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    torch.testing.assert_close(states(read_network(folder)), states(read_network(roberta_folder)), rtol=0, atol=0)
    torch.save({"state_dict": tensors}, path)
    with pytest.raises(FormatError, match="holds more than tensors by name"):
        read_network(folder)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(FormatError, match="is no checkpoint of plain tensors, or a broken one"):
        read_network(folder)
    with tarfile.open(path, "w") as archive:
        archive.add(folder / "config.json", "sys_info")
    with pytest.raises(FormatError, match="is a checkpoint in torch's first format"):
        read_network(folder)
    path.unlink()
    with pytest.raises(DataError, match=r"holds no weights; expected model\.safetensors or pytorch_model\.bin"):
        read_network(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"auto_map": {"AutoModel": "own.Own"}},
        {"model_type": "own", "auto_map": {"AutoModel": "own.Own"}},
        {"attn_implementation": "kernels-community/flash-attn"},
        {"_attn_implementation": "paged|somebody/kernel@main:attend"},
        {"attn_implementation": {"text": "somebody/kernel"}},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
        {"compression_config": {"quant_method": "compressed-tensors"}},
        {"use_kernels": True},
    ],
)
def test_a_configuration_that_asks_for_code_is_refused(folder, changes):
    change_config(folder, **changes)
    (folder / "own.py").write_text("raise SystemExit(9)")
    with pytest.raises(DataError, match=r"config\.json: \w+ asks for code .* never run; take a plain model of bert"):
        read_network(folder)


@pytest.mark.parametrize("attention", ["flash_attention_2", "flex_attention", "eager", "sdpa", "nosuch", None])
def test_the_configuration_does_not_choose_the_attention(folder, roberta_folder, attention):
    change_config(folder, attn_implementation=attention, _attn_implementation=attention)
    network = read_network(folder)
    assert network.config._attn_implementation in ("sdpa", "eager")
    torch.testing.assert_close(states(network), states(read_network(roberta_folder)), rtol=0, atol=0)


def test_keys_that_change_nothing_are_not_read(folder, roberta_folder):
    """Such as the type of the numbers, which would round them, and what is returned beside the states."""
    change_config(folder, dtype="bfloat16", torch_dtype="float16", return_dict=False, output_hidden_states=True,
                  quantization_config=None, norm_mean=[1.0], unheard_of={"a": 1})  # fmt: skip
    torch.testing.assert_close(states(read_network(folder)), states(read_network(roberta_folder)), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "electra"}, "model_type is 'electra'; known: bert, distilbert, roberta"),
        ({"model_type": ["roberta"]}, r"model_type is \['roberta'\]"),
        ({"hidden_size": "16"}, "hidden_size is '16', expected the like of 768"),
        ({"hidden_size": -16}, "hidden_size is -16, expected"),
        ({"num_hidden_layers": True}, "num_hidden_layers is True, expected"),
        ({"vocab_size": None}, "vocab_size is None, expected"),
        ({"hidden_act": {"a": 1}}, "hidden_act is {'a': 1}, expected the like of 'gelu'"),
        ({"hidden_act": "nosuch"}, "describes no network"),
        ({"num_attention_heads": 3}, "describes no network"),
        ({"num_attention_heads": 0}, "describes no network"),
        ({"pad_token_id": 99}, "describes no network"),
        ({"position_embedding_type": "relative_key"}, "its positions are not absolute"),
    ],
)
def test_other_configurations_are_refused(folder, changes, message):
    change_config(folder, **changes)
    with pytest.raises(DataError, match=message) as refused:
        read_network(folder)
    assert str(folder / "config.json") in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is no JSON"), ("[]", "is no JSON object"), ("\xff", "is no JSON"), ("[" * 100_000, "is no JSON")],
    ids=["open", "array", "bytes", "deep"],
)
def test_what_is_no_configuration(folder, text, message):
    (folder / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(FormatError, match=message):
        read_network(folder)


def test_every_known_key_is_one_of_the_configuration():
    for model_type, configuration in (
        ("bert", BertConfig),
        ("roberta", RobertaConfig),
        ("distilbert", DistilBertConfig),
    ):
        assert not [key for key in MODEL_TYPES[model_type] if not hasattr(configuration(), key)]
    assert sorted(MODEL_TYPES) == ["bert", "distilbert", "roberta"]


def test_reading_draws_nothing_at_random(folder):
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    read_network(folder)
    assert torch.equal(torch.rand(1), expected)
