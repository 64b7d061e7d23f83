"""Where rankers are stored: inside a model, or while they are made in a file of their own; safetensors both.

In a model the tensors of the first network are named `ranker.0.*`, those of the next `ranker.1.*`, and the
configuration stands in the header under `ranker`. A file of its own has the same tensors and the configuration as its
header.
"""

import json

import numpy as np

from specbridge_tools import pretrained
from specbridge_tools.errors import FormatError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.streams import output_path

FORMAT = "specbridge-ranker"
FORMAT_VERSION = 2
PREFIX = "ranker."
_HEADER_KEY = "specbridge"


def load_ranker(path=None):
    """The ranker in a model file, or in a file of its own; None is the model that ships.

    Raises `FormatError` where there is none, or one of another version.
    """
    ranker = find_ranker(path)
    if ranker is None:
        raise FormatError("holds no ranker", where=_path(path), advice="name a model that holds one")
    return ranker


def find_ranker(path=None):
    """As `load_ranker`, but None for a model without a ranker."""
    header, tensors = _read(_path(path), prefix=PREFIX)
    config = header if header.get("format") == FORMAT else header.get("ranker")
    if not config:
        return None
    if (config.get("format"), config.get("format_version")) != (FORMAT, FORMAT_VERSION):
        found = f"{config.get('format')} version {config.get('format_version')}"
        raise FormatError(f"holds a {found}, expected {FORMAT} version {FORMAT_VERSION}", where=_path(path))
    if not tensors:
        raise FormatError(f"has no tensors named {PREFIX}*", where=_path(path))
    networks = {}
    for name, value in tensors.items():
        number, _, name = name.removeprefix(PREFIX).partition(".")
        networks.setdefault(number, {})[name] = np.asarray(value, np.float32)
    try:
        return Ranker([networks[number] for number in sorted(networks)], config)
    except FormatError as error:
        raise FormatError(error.message, where=_path(path)) from error


def save_ranker(ranker, path):
    """Write a ranker to a file of its own, replacing what is there."""
    _write(_tensors(ranker), _config(ranker), path)


def add_ranker(ranker, model, destination, *, calibration=None, force=False):
    """Write the model in the file `model` with `ranker` in place of any that it holds.

    Nothing else of it changes but, where one is given, the calibration of its cosines.
    """
    header, tensors = _read(model)
    header |= {"calibration": calibration} if calibration else {}
    kept = {name: value for name, value in tensors.items() if not name.startswith(PREFIX)}
    with output_path(destination, force=force) as temporary:
        _write(kept | _tensors(ranker), header | {"ranker": _config(ranker)}, temporary)


def _tensors(ranker):
    return {
        f"{PREFIX}{number}.{name}": np.ascontiguousarray(value, np.float32)
        for number, weights in enumerate(ranker.networks)
        for name, value in weights.items()
    }


def _config(ranker):
    return {**ranker.config, "format": FORMAT, "format_version": FORMAT_VERSION}


def _path(path):
    return pretrained.MODEL if path is None else path


def _read(path, prefix=""):
    """(header, tensors whose names start with `prefix`) of a safetensors file with a JSON header."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER_KEY, "{}"))
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118, not a dict
            return header, {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise FormatError(f"cannot be read as a model ({error})", where=path) from error


def _write(tensors, header, path):
    from safetensors.numpy import save_file

    save_file(tensors, path, metadata={_HEADER_KEY: json.dumps(header, sort_keys=True)})
