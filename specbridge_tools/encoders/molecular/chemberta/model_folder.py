"""A folder in Hugging Face layout, read as data: sizes from config.json, tensors from the weight file, and no code.

Written by hand although transformers has `from_pretrained`, since that draws at random what the weights lack, drops
what they hold beyond the configuration, and lets a configuration name code, kernels and quantisers. Here the network is
one of `MODEL_TYPES`, made from the known keys of config.json, and the weight file must hold each of its tensors
by name and shape, and nothing else but `NOT_READ`.
"""

from __future__ import annotations

import json
import tarfile
import textwrap
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.weights.empty_network import WithoutInitialValues
from specbridge_tools.weights.tensor_file import check_shapes, read_tensor_file

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

_COMMON = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
    "pad_token_id", "chunk_size_feed_forward",
)  # fmt: skip
_OF_BERT = (
    *_COMMON, "intermediate_size", "hidden_act", "type_vocab_size", "layer_norm_eps", "is_decoder",
    "add_cross_attention",
)  # fmt: skip
_OF_DISTILBERT = (*_COMMON, "dim", "hidden_dim", "n_layers", "n_heads", "activation", "sinusoidal_pos_embds")
MODEL_TYPES = {"bert": _OF_BERT, "distilbert": _OF_DISTILBERT, "roberta": _OF_BERT}
"""Architecture, as config.json names it -> the keys that are read; others change no hidden state."""
NOT_READ = (
    "pooler.", "embeddings.position_ids", "embeddings.token_type_ids",
    # heads: of language models, of classifiers, and of the regression that ChemBERTa-77M-MTR was trained on
    "lm_head.", "cls.", "vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "classifier.", "pre_classifier.",
    "qa_outputs.", "regression.", "norm_mean", "norm_std",
)  # fmt: skip
"""What the names of tensors begin with that are no part of the encoder."""
# what transformers would run, fetch or hand over to other packages for
_CODE_KEYS = (
    "auto_map", "custom_pipelines", "quantization_config", "compression_config", "kernel_config", "use_kernels",
)  # fmt: skip
_ATTENTION_KEYS = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")
_ADVICE = "use the config.json that came with these weights"
_BROKEN_PICKLE = (UnpicklingError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, IndexError, TypeError)


def read_network(folder: Path) -> PreTrainedModel:
    """The network of a folder, its weights in float32 on the CPU.

    Raises:
        DataError: Where the folder holds no network, one of another architecture, or a configuration that asks for
            code.
        MismatchError: Where the tensors of the weight file are not those of the configuration.
    """
    import torch

    path = folder / "config.json"
    values = _read_config(path)
    paths = _weight_files(folder)
    tensors: dict[str, torch.Tensor] = {}
    for weights in paths:
        tensors |= _read_pickled(weights) if weights.suffix == ".bin" else read_tensor_file(weights, framework="pt")[1]
    with torch.device("meta"), WithoutInitialValues():  # no memory is taken before the sizes are known to be right
        empty = _make_network(values, path)
    prefix = f"{empty.base_model_prefix}."
    if not any(name.startswith(prefix) for name in tensors):
        prefix = ""
    tensors = {name: tensor for name, tensor in tensors.items() if not name.removeprefix(prefix).startswith(NOT_READ)}
    tensors = {_modern_name(name, tensors): tensor for name, tensor in tensors.items()}
    expected = {f"{prefix}{name}": tensor.shape for name, tensor in empty.state_dict().items()}
    check_shapes({name: tensor.shape for name, tensor in tensors.items()}, expected, paths[0], advice=_ADVICE)
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            raise FormatError(f"tensor {name} is {tensor.dtype}, expected floating-point numbers", where=paths[0])
    with torch.random.fork_rng(devices=[]), WithoutInitialValues():  # all weights are taken over
        network = _make_network(values, path)
    network.load_state_dict({name.removeprefix(prefix): tensor for name, tensor in tensors.items()})
    return network.eval()


def _read_config(path: Path) -> dict[str, Any]:
    """`model_type` and the known keys of config.json, of the types that the architecture's configuration has."""
    values = _read_json(path)
    _refuse_code(values, path)
    model_type = values.get("model_type")
    if not isinstance(model_type, str) or model_type not in MODEL_TYPES:
        raise DataError(f"model_type is {model_type!r}", where=path, advice=f"known: {', '.join(MODEL_TYPES)}")
    if values.get("position_embedding_type") not in (None, "absolute"):
        raise DataError("its positions are not absolute, others cannot be read", where=path)
    defaults = _config_class(model_type)()
    known = {key: values[key] for key in MODEL_TYPES[model_type] if key in values}
    for key, value in known.items():
        default = getattr(defaults, key)
        types = (int, float) if isinstance(default, float) else (type(default),)
        is_bool = isinstance(value, bool) and bool not in types
        if is_bool or not isinstance(value, types) or (isinstance(value, int | float) and not value >= 0):
            raise DataError(f"{key} is {value!r}, expected the like of {default!r}", where=path, advice=_ADVICE)
    return {"model_type": model_type, **known}


def _refuse_code(values: dict[str, Any], path: Path) -> None:
    """Raise `DataError` where a configuration names code, a kernel or a quantiser."""
    named = [key for key in _CODE_KEYS if values.get(key)]
    # beside the implementations of transformers, which we do not let it choose either, these are kernels of a hub
    named += [key for key in _ATTENTION_KEYS if "/" in json.dumps(values.get(key))]
    if named:
        message = f"{named[0]} asks for code beside the weights, which is never run"
        raise DataError(message, where=path, advice=f"take a plain model of {', '.join(MODEL_TYPES)}")


def _config_class(model_type: str) -> type[PretrainedConfig]:
    from transformers import BertConfig, DistilBertConfig, RobertaConfig

    return {"bert": BertConfig, "distilbert": DistilBertConfig, "roberta": RobertaConfig}[model_type]


def _make_network(values: dict[str, Any], path: Path) -> PreTrainedModel:
    """The network of a configuration.

    No implementation of attention is named, so that it is torch's own, or a plain one where a release of transformers
    has none for this network.
    """
    from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

    sizes = {key: value for key, value in values.items() if key != "model_type"}
    try:
        if values["model_type"] == "bert":
            return BertModel(BertConfig(**sizes), add_pooling_layer=False)
        if values["model_type"] == "roberta":
            return RobertaModel(RobertaConfig(**sizes), add_pooling_layer=False)
        return DistilBertModel(DistilBertConfig(**sizes))
    except (ValueError, KeyError, RuntimeError, TypeError, ArithmeticError, AssertionError) as error:
        reason = textwrap.shorten(str(error), 200, placeholder=" ...")
        raise DataError(f"describes no network ({reason})", where=path, advice=_ADVICE) from error


def _weight_files(folder: Path) -> list[Path]:
    """The files with the weights, in the order in which transformers looks for them."""
    for whole in ("model.safetensors", "pytorch_model.bin"):
        if (folder / whole).is_file():
            return [folder / whole]
        index = folder / f"{whole}.index.json"
        if index.is_file():
            named = _read_json(index).get("weight_map")
            names = sorted({str(name) for name in named.values()}) if isinstance(named, dict) else []
            if not names or any(Path(name).name != name for name in names):
                raise FormatError("names no weight files of its folder", where=index)
            return [folder / name for name in names]
    raise DataError("holds no weights", where=folder, advice="expected model.safetensors or pytorch_model.bin")


def _read_pickled(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a torch checkpoint, by the reader of torch that runs nothing of it and knows older formats."""
    import torch

    try:
        if tarfile.is_tarfile(
            path
        ):  # releases of torch before 2.6 run what is pickled in these, whatever `weights_only` says
            raise FormatError(
                "is a checkpoint in torch's first format, a tar archive", where=path, advice="save it again"
            )
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error
    except _BROKEN_PICKLE as error:
        reason = textwrap.shorten(str(error).partition("\n")[0], 200, placeholder=" ...")
        raise FormatError(f"is no checkpoint of plain tensors, or a broken one ({reason})", where=path) from error
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise FormatError("is a torch checkpoint, but holds more than tensors by name", where=path)
    return dict(found)


def _modern_name(name: str, tensors: dict[str, torch.Tensor]) -> str:
    """Checkpoints of the first years have `LayerNorm.gamma` and `.beta`."""
    for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
        if name.endswith(old) and (modern := name.removesuffix(old) + new) not in tensors:
            return modern
    return name


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON ({error})", where=path) from error
    if not isinstance(values, dict):
        raise FormatError("is no JSON object", where=path)
    return values
