"""Where rankers are stored: inside a model, or while they are made in a file of their own; safetensors both.

In a model the tensors of the first network are named `ranker.0.*`, those of the next `ranker.1.*`, and the
configuration is in the header under `ranker`. A file of its own has the same tensors and the configuration as its
header.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools import pretrained
from specbridge_tools.errors import FormatError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.weight_shapes import Floats, expected_shapes
from specbridge_tools.streams import output_path
from specbridge_tools.weights.plain_values import finite_numbers, value_of
from specbridge_tools.weights.tensor_file import check_header, check_shapes, read_tensor_file, write_tensor_file

FORMAT = "specbridge-ranker"
FORMAT_VERSION = 2
PREFIX = "ranker."
# of a molecule: far beyond what scoring takes time for
_MOST_FRAGMENTS, _MOST_COST = 1 << 16, 1 << 10
FilePath = str | os.PathLike[str]


def load_ranker(path: FilePath | None = None) -> Ranker:
    """Read the ranker of a model file, or of a file of its own; None is the model that ships.

    Raises:
        DataError: Where the file cannot be read.
        FormatError: Where it holds no ranker, or one of another version.
        MismatchError: Where its tensors are missing, left over or of another shape.
    """
    ranker = find_ranker(path)
    if ranker is None:
        raise FormatError("holds no ranker", where=_path(path), advice="name a model that holds one")
    return ranker


def find_ranker(path: FilePath | None = None) -> Ranker | None:
    """As `load_ranker`, but None for a model without a ranker."""
    path = _path(path)
    header, tensors = read_tensor_file(path, prefix=PREFIX)
    config = header if header.get("format") == FORMAT else header.get("ranker")
    if not config:
        return None
    if not isinstance(config, dict):
        raise FormatError("ranker in its header is no object", where=path)
    check_header(config, path, expected_format=FORMAT, version=FORMAT_VERSION)
    _check_config(config, path)
    if not tensors:
        raise FormatError(f"has no tensors named {PREFIX}*", where=path)
    networks: dict[str, dict[str, Floats]] = {}
    for name, tensor in tensors.items():
        number, _, weight = name.removeprefix(PREFIX).partition(".")
        networks.setdefault(number, {})[weight] = _floats(tensor, name, path)
    _check_networks(networks, path)
    try:
        return Ranker([networks[number] for number in sorted(networks)], config)
    except FormatError as error:
        raise FormatError(error.message, where=path) from error


def _check_networks(networks: Mapping[str, Mapping[str, Floats]], path: FilePath) -> None:
    """Raise `MismatchError` unless the networks are numbered from 0, each with its weights by name and shape."""
    expected: dict[str, tuple[int, ...]] = {}
    found: dict[str, tuple[int, ...]] = {}
    for place in range(len(networks)):
        weights = networks.get(str(place), {})
        expected |= {f"{PREFIX}{place}.{name}": shape for name, shape in expected_shapes(weights).items()}
    for number, weights in networks.items():
        found |= {f"{PREFIX}{number}.{name}": value.shape or (1,) for name, value in weights.items()}
    check_shapes(found, expected, path, advice="copy the file again, or make it anew")


def _check_config(config: dict[str, Any], path: FilePath) -> None:
    """Raise `FormatError` unless what scoring reads of a configuration are values that it can have."""
    for name, most in (("capacity", _MOST_FRAGMENTS), ("limit", _MOST_COST)):
        if name in config:
            value_of(config, name, int, path, most=most)
    fusions = [config, *([config["group"]] if config.get("group") else [])]
    for fusion in fusions:
        if not isinstance(fusion, dict):
            raise FormatError("group in the header of its ranker is no object", where=path)
        for name in ("cosine_weight", "fragment_weight"):
            if name in fusion or fusion is not config:
                value_of(fusion, name, float, path)
        finite_numbers(fusion.get("calibration"), "the calibration", path)
        reference = fusion.get("reference") or {"weights": {}}
        if not isinstance(reference, dict) or not isinstance(reference.get("weights"), dict):
            raise FormatError("reference in the header of its ranker has no weights", where=path)
        finite_numbers(reference["weights"], "the reference weighting", path)
        finite_numbers(reference.get("calibration"), "the calibration with reference spectra", path)


def _floats(tensor: NDArray[Any], name: str, path: FilePath) -> Floats:
    if tensor.dtype.kind != "f":
        raise FormatError(f"tensor {name} is {tensor.dtype}, expected floating-point numbers", where=path)
    with np.errstate(over="ignore"):  # what is too large is seen as not finite
        floats = np.asarray(tensor, np.float32)
    if not np.isfinite(floats).all():
        raise FormatError(f"tensor {name} holds no finite numbers", where=path)
    return floats


def save_ranker(ranker: Ranker, path: FilePath) -> None:
    """Write a ranker to a file of its own, replacing what is there."""
    write_tensor_file(_tensors(ranker), _config(ranker), path)


def add_ranker(
    ranker: Ranker,
    model: FilePath,
    destination: FilePath,
    *,
    calibration: dict[str, float] | None = None,
    force: bool = False,
) -> None:
    """Write the model in the file `model` with `ranker` in place of any that it holds.

    Nothing else of it changes but, where one is given, the calibration of its cosines.
    """
    header, tensors = read_tensor_file(model)
    header |= {"calibration": calibration} if calibration else {}
    others = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    with output_path(destination, force=force) as temporary:
        write_tensor_file(others | _tensors(ranker), header | {"ranker": _config(ranker)}, temporary)


def _tensors(ranker: Ranker) -> dict[str, Floats]:
    return {
        f"{PREFIX}{number}.{name}": np.ascontiguousarray(value, np.float32)
        for number, weights in enumerate(ranker.networks)
        for name, value in weights.items()
    }


def _config(ranker: Ranker) -> dict[str, Any]:
    return {**ranker.config, "format": FORMAT, "format_version": FORMAT_VERSION}


def _path(path: FilePath | None) -> FilePath:
    return pretrained.MODEL if path is None else path
