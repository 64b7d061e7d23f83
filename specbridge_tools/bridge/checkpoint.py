"""Model files: one safetensors file, its configuration and provenance as JSON in the header. No pickle.

Header key `specbridge` holds one JSON object: `format` = "specbridge-model", `format_version`, `created_by`, `config`
(`ModelConfig`), `training` (summary), `calibration` (or null). Tensors are named as in the modules; `ranker.*` belong
to the re-ranking of hits.
"""

import dataclasses
import hashlib
import json

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from specbridge_tools import pretrained
from specbridge_tools.bridge.model import AlignedModel, ModelConfig
from specbridge_tools.device import pick_device
from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.provenance import CREATED_BY, sha256_file
from specbridge_tools.streams import output_path, seekable_input

FORMAT = "specbridge-model"
FORMAT_VERSION = 1
HEADER_KEY = "specbridge"
RANKER_PREFIX = "ranker."
SHIPPED_NAME = "default"


def save_model(model, destination, *, force=False, half=False):
    """Write `model` to a new file; the same content gives the same bytes.

    `half` stores float32 matrices as float16; they become float32 again when they are read.
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
        write_tensors(tensors, header, temporary)


def load_model(source=None, *, device="cpu"):
    """Read a model file, ready to encode; `None` is the model that ships.

    Raises `DataError` where there is no such file, `FormatError` where it is no model of this version.
    """
    with seekable_input(pretrained.MODEL if source is None else source) as path:
        header, tensors = read_tensors(path, expected_format=FORMAT, version=FORMAT_VERSION)
        digest = sha256_file(path)
    config = ModelConfig(**header["config"])
    model = AlignedModel(config)
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(RANKER_PREFIX)}
    missing, unexpected = model.load_stored_state(weights)
    if missing or unexpected:
        first = (missing or unexpected)[0]
        raise FormatError(f"tensor {first} is {'missing' if missing else 'not part of the model'}", where=source)
    if model.encoder.describe().get("lora_rank"):
        model.encoder.load_base()
    model.name = SHIPPED_NAME if source is None else str(source)
    model.path = source
    model.weights_sha256 = digest
    model.molecule_head_sha256 = _head_digest(weights)
    model.calibration = header["calibration"]
    model.training_summary = header["training"]
    return model.to(pick_device(device)).eval()


def write_tensors(tensors, header, path):
    """Tensors and a JSON header -> safetensors file at `path`."""
    save_file(tensors, path, metadata={HEADER_KEY: json.dumps(header, sort_keys=True)})


def read_tensors(path, *, expected_format, version):
    """Safetensors file -> (header, tensors on the CPU); checks format and version."""
    try:
        with safe_open(path, framework="pt") as file:
            header = _header(file.metadata(), path, expected_format, version)
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, not a dict
    except SafetensorError as error:
        raise FormatError(f"is no safetensors file, or a broken one ({error})", where=path) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error


def _header(metadata, path, expected_format, version):
    try:
        header = json.loads((metadata or {})[HEADER_KEY])
    except (KeyError, ValueError) as error:
        raise FormatError(f"is a safetensors file, but no {expected_format}", where=path) from error
    if header.get("format") != expected_format:
        raise FormatError(f"is a {header.get('format')}, expected a {expected_format}", where=path)
    if header.get("format_version") != version:
        found = header.get("format_version")
        advice = "install the version of specbridge_tools that wrote it" if found else None
        raise FormatError(f"{expected_format} version {found}, this release reads {version}", where=path, advice=advice)
    return header


def _head_digest(weights):
    head = {name: tensor for name, tensor in weights.items() if name.startswith("molecule_head.")}
    if not head:
        return ""
    digest = hashlib.sha256()
    for name in sorted(head):
        digest.update(name.encode())
        digest.update(head[name].numpy().tobytes())
    return digest.hexdigest()
