"""Model files: one safetensors file, its configuration and provenance as JSON in the header. No pickle.

Header key `specbridge` holds one JSON object: `format` = "specbridge-model", `format_version`, `created_by`, `config`
(`ModelConfig`), `training` (summary), `calibration` (or null). Tensors are named as in the modules; `ranker.*` belong
to the re-ranking of hits.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping

import torch

from specbridge_tools import pretrained
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.device import pick_device
from specbridge_tools.encoders.base import LowRankEncoder
from specbridge_tools.encoders.registry import SPECTRUM_ENCODERS
from specbridge_tools.provenance import CREATED_BY, sha256_file
from specbridge_tools.streams import Destination, output_path, seekable_input
from specbridge_tools.weights.empty_network import WithoutInitialValues
from specbridge_tools.weights.tensor_file import check_header, check_shapes, read_tensor_file, write_tensor_file

FORMAT = "specbridge-model"
FORMAT_VERSION = 1
RANKER_PREFIX = "ranker."
SHIPPED_NAME = "default"


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
    config = ModelConfig(**header["config"])
    with WithoutInitialValues():
        encoder = SPECTRUM_ENCODERS.find(config.encoder["name"]).from_description(config.encoder)
    model = AlignedModel(config, encoder)
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(RANKER_PREFIX)}
    expected = {name: tensor.shape for name, tensor in model.stored_state().items()}
    found = {name: tensor.shape for name, tensor in weights.items()}
    check_shapes(found, expected, path, advice="copy the model again, or train it anew")
    model.load_stored_state(weights)
    if isinstance(model.encoder, LowRankEncoder) and model.encoder.describe().get("lora_rank"):
        model.encoder.load_base()
    model.name = SHIPPED_NAME if source is None else str(source)
    model.path = source
    model.weights_sha256 = digest
    model.molecule_head_sha256 = _head_digest(weights)
    model.calibration = header["calibration"]
    model.training_summary = header["training"]
    return model.to(pick_device(device)).eval()


def _head_digest(weights: Mapping[str, torch.Tensor]) -> str:
    head = {name: tensor for name, tensor in weights.items() if name.startswith("molecule_head.")}
    if not head:
        return ""
    digest = hashlib.sha256()
    for name in sorted(head):
        digest.update(name.encode())
        digest.update(head[name].numpy().tobytes())
    return digest.hexdigest()
