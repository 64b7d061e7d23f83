"""Model files: one safetensors file, its configuration and provenance as JSON in the header. No pickle.

Header key `specbridge` holds one JSON object: `format` = "specbridge-model", `format_version`, `created_by`, `config`
(`ModelConfig`), `training` (summary), `calibration` (or null). Tensors are named as in the modules; `ranker.*` belong
to the re-ranking of hits, `ranking.*` to the ranking of all evidence.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

import torch

from specbridge_tools import pretrained
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.device import pick_device
from specbridge_tools.encoders.base import LowRankEncoder, VocabularyEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.errors import FormatError, SpecbridgeError
from specbridge_tools.provenance import CREATED_BY, sha256_arrays, sha256_file
from specbridge_tools.streams import Destination, output_path, seekable_input
from specbridge_tools.weights.empty_network import WithoutInitialValues
from specbridge_tools.weights.plain_values import config_of, finite_numbers, value_of
from specbridge_tools.weights.tensor_file import check_header, check_shapes, read_tensor_file, write_tensor_file

FORMAT = "specbridge-model"
FORMAT_VERSION = 1
OTHER_PREFIXES = ("ranker.", "ranking.")
SHIPPED_NAME = "default"
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_ADVICE = "copy the model again, or train it anew"
# what torch and the modules raise for sizes that make no sense
_NO_NETWORK = (ValueError, TypeError, KeyError, RuntimeError, ArithmeticError, AssertionError, MemoryError)


def save_model(model: AlignedModel, destination: Destination, *, force: bool = False, half: bool = False) -> None:
    """Write a model to a new file; the same content gives the same bytes.

    Args:
        model: To write.
        destination: Of the new file.
        force: Whether to replace an existing file.
        half: Whether to store float32 matrices as float16; they become float32 again when they are read.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.stored_state().items()}
    if half:
        tensors = {name: t.half() if t.ndim > 1 and t.dtype == torch.float32 else t for name, t in tensors.items()}
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created_by": CREATED_BY,
        "config": dataclasses.asdict(model.config),
        "training": model.training_summary,
        "calibration": model.calibration,
    }
    with output_path(destination, force=force) as temporary:
        write_tensor_file(tensors, header, temporary)


def load_model(source: str | os.PathLike[str] | None = None, *, device: str = "cpu") -> AlignedModel:
    """Read a model file, ready to encode; None is the model that ships.

    Raises:
        DataError: If the file cannot be read.
        FormatError: If it is not a model of this version.
        MismatchError: If its tensors are not those of its configuration, or if it is a change of weights that are not
            on this machine.
    """
    with seekable_input(pretrained.MODEL if source is None else source) as path:
        header, tensors = read_tensor_file(path, framework="pt")
        check_header(header, path, expected_format=FORMAT, version=FORMAT_VERSION)
        digest = sha256_file(path)
    config = config_of(ModelConfig, value_of(header, "config", dict, path), path)
    calibration = finite_numbers(header.get("calibration"), "calibration", path)
    training = value_of(header, "training", dict, path)
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(OTHER_PREFIXES)}
    # nothing is written to new tensors, so that they take no memory before their sizes are known to be right
    model = _network(config, path)
    expected = {name: tensor.shape for name, tensor in model.stored_state().items()}
    found = {name: tensor.shape for name, tensor in weights.items()}
    check_shapes(found, expected, path, advice=_ADVICE)
    _check_values(weights, model, path)
    model.load_stored_state(weights)
    if isinstance(model.encoder, LowRankEncoder) and model.encoder.describe().get("lora_rank"):
        model.encoder.load_base()
    model.name = SHIPPED_NAME if source is None else str(source)
    model.path = source
    model.weights_sha256 = digest
    model.molecule_head_sha256 = _head_digest(weights)
    model.calibration = calibration
    model.training_summary = training
    return model.to(pick_device(device)).eval()


def _network(config: ModelConfig, path: object) -> AlignedModel:
    """The network of a configuration, without its weights; `FormatError` where it describes none."""
    try:
        name = value_of(config.encoder, "name", str, path)
        with WithoutInitialValues():
            encoder = SPECTRUM_ENCODERS.find(name).from_description(config.encoder)
            return AlignedModel(config, encoder)
    except SpecbridgeError as error:
        raise FormatError(error.message, where=path, advice=_ADVICE) from error
    except _NO_NETWORK as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(f"its configuration describes no model ({reason})", where=path, advice=_ADVICE) from error


def _check_values(weights: Mapping[str, torch.Tensor], model: AlignedModel, path: object) -> None:
    """Raise `FormatError` where numbers are not finite, or rows of a table are named that it does not have."""
    for name, tensor in weights.items():
        expected = model.get_buffer(name) if name in dict(model.named_buffers()) else model.get_parameter(name)
        if tensor.dtype not in (_FLOATS if expected.is_floating_point() else (expected.dtype,)):
            raise FormatError(f"tensor {name} is {tensor.dtype}, expected {expected.dtype}", where=path, advice=_ADVICE)
        if tensor.is_floating_point() and tensor.numel() and not all(map(torch.isfinite, tensor.aminmax())):
            raise FormatError(f"tensor {name} holds no finite numbers", where=path, advice=_ADVICE)
    if isinstance(model.encoder, VocabularyEncoder):
        for name, n_rows in model.encoder.row_tables().items():
            rows = weights[f"encoder.{name}"]
            if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < n_rows:
                message = f"tensor encoder.{name} names rows that its table does not have"
                raise FormatError(message, where=path, advice=_ADVICE)


def _head_digest(weights: Mapping[str, torch.Tensor]) -> str:
    head = {name: tensor.numpy() for name, tensor in weights.items() if name.startswith("molecule_head.")}
    return sha256_arrays(head) if head else ""
