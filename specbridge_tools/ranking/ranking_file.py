"""Where rankings are stored: inside a model. Tensors `ranking.N.*`, and plain values in the header under `ranking`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specbridge_tools import pretrained
from specbridge_tools.errors import FormatError
from specbridge_tools.ranking.answer_sets import QUANTILES
from specbridge_tools.ranking.evidence import OWN, REFERENCE
from specbridge_tools.ranking.features import COLUMNS
from specbridge_tools.ranking.meaning import PARAMETERS
from specbridge_tools.ranking.network import expected_shapes
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.streams import output_path
from specbridge_tools.weights.plain_values import finite_numbers, value_of
from specbridge_tools.weights.tensor_file import check_header, check_shapes, read_tensor_file, write_tensor_file

FORMAT = "specbridge-ranking"
FORMAT_VERSION = 1
PREFIX = "ranking."
_MOST_WIDTH, _MOST_NETWORKS = 1 << 12, 1 << 8
_ADVICE = "train the ranking anew, with sb-train-ranking"
FilePath = str | os.PathLike[str]


def find_ranking(path: FilePath | None = None) -> Ranking | None:
    """Read the ranking of a model file; None is the model that ships. None for a model without one.

    Raises:
        DataError: Where the file cannot be read.
        FormatError: Where its ranking is of another version, or reads other columns than this release makes.
        MismatchError: Where its tensors are missing, left over or of another shape.
    """
    path = pretrained.MODEL if path is None else path
    header, tensors = read_tensor_file(path, prefix=PREFIX)
    config = header.get("ranking")
    if not config:
        return None
    if not isinstance(config, dict):
        raise FormatError("ranking in its header is no object", where=path, advice=_ADVICE)
    check_header(config, path, expected_format=FORMAT, version=FORMAT_VERSION)
    if config.get("columns") != list(COLUMNS):
        raise FormatError("its ranking reads other columns than this release makes", where=path, advice=_ADVICE)
    n_networks = value_of(config, "networks", int, path, most=_MOST_NETWORKS)
    width = value_of(config, "width", int, path, most=_MOST_WIDTH)
    shapes = expected_shapes(len(COLUMNS), width)
    expected = {f"{PREFIX}{number}.{name}": shape for number in range(n_networks) for name, shape in shapes.items()}
    check_shapes({name: value.shape for name, value in tensors.items()}, expected, path, advice=_ADVICE)
    _check_calibrations(config, path)
    networks = [
        {name: _numbers(tensors[f"{PREFIX}{number}.{name}"], name, path) for name in shapes}
        for number in range(n_networks)
    ]
    if any((weights["spread"] <= 0).any() for weights in networks):
        raise FormatError("a spread of its ranking is not above 0", where=path, advice=_ADVICE)
    return Ranking(networks, config)


def add_ranking(ranking: Ranking, model: FilePath, destination: FilePath, *, force: bool = False) -> None:
    """Write the model in the file `model` with `ranking` in place of any that it holds; nothing else of it changes."""
    header, tensors = read_tensor_file(model)
    others = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    own = {
        f"{PREFIX}{number}.{name}": np.ascontiguousarray(value, np.float32)
        for number, weights in enumerate(ranking.networks)
        for name, value in weights.items()
    }
    config = {
        **ranking.config,
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "columns": list(COLUMNS),
        "networks": len(ranking.networks),
        "width": len(ranking.networks[0]["out.weight"]) if ranking.networks else 0,
    }
    with output_path(destination, force=force) as temporary:
        write_tensor_file(others | own, header | {"ranking": config}, temporary)


def _check_calibrations(config: Mapping[str, Any], path: FilePath) -> None:
    for kind in ("single", "group"):
        values = value_of(config, kind, dict, path)
        linear = value_of(values, "linear", dict, path) if "linear" in values else {}
        finite_numbers(linear, f"the linear sum {kind} of its ranking", path)
        if unknown := [name for name in linear if name not in (*OWN, *REFERENCE)]:
            raise FormatError(f"the linear sum {kind} of its ranking has an unknown {unknown[0]!r}", where=path)
        numbers = {name: value for name, value in values.items() if name not in ("coverage", "linear")}
        finite_numbers(numbers, f"the calibration {kind} of its ranking", path)
        missing = [name for name in PARAMETERS if name not in values]
        if missing:
            raise FormatError(f"the calibration {kind} of its ranking has no {', '.join(missing)}", where=path)
        quantiles = values.get("coverage")
        named = dict(enumerate(quantiles)) if isinstance(quantiles, list) else {}
        if len(finite_numbers(named, f"coverage of the calibration {kind}", path) or {}) != QUANTILES:
            raise FormatError(f"coverage of the calibration {kind} is no list of {QUANTILES} numbers", where=path)


def _numbers(tensor: NDArray[Any], name: str, path: FilePath) -> NDArray[np.float64]:
    if tensor.dtype.kind != "f" or not np.isfinite(tensor).all():
        raise FormatError(f"tensor {name} of its ranking holds no finite numbers", where=path, advice=_ADVICE)
    return np.asarray(tensor, np.float64)
