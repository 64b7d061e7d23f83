"""Tensors and a JSON header in one safetensors file: how all our weights are stored. No pickle.

The header is one JSON object under the key `specbridge` of the file's metadata. It names its `format`, and where the
format has had several versions its `format_version`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from specbridge_tools.errors import DataError, FormatError, MismatchError

HEADER_KEY = "specbridge"
Header = dict[str, Any]
_NAMED_AT_MOST = 3


def read_tensor_file(
    path: str | os.PathLike[str], *, framework: Literal["numpy", "pt"] = "numpy", prefix: str = ""
) -> tuple[Header, dict[str, Any]]:
    """Read a safetensors file of ours or of others.

    Args:
        path: The file.
        framework: Whether tensors are numpy arrays or torch tensors on the CPU.
        prefix: Of the names of the tensors to read; '' reads all.

    Returns:
        The header, empty for a file of others, and {name: tensor}.

    Raises:
        DataError: Where the file cannot be read.
        FormatError: Where it is no safetensors file, or a broken one.
    """
    with _open(path, framework) as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118, not a dict
        return _header(file.metadata()), {name: file.get_tensor(name) for name in names}


def read_shapes(path: str | os.PathLike[str]) -> tuple[Header, dict[str, tuple[int, ...]]]:
    """The header of a safetensors file, and {name: shape} of its tensors; raises as `read_tensor_file` does."""
    with _open(path, "numpy") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118, not a dict
        return _header(file.metadata()), shapes


def read_header(path: str | os.PathLike[str]) -> Header:
    """The header of a safetensors file, empty for a file of others; raises as `read_tensor_file` does."""
    return read_shapes(path)[0]


@contextlib.contextmanager
def _open(path: str | os.PathLike[str], framework: str) -> Iterator[Any]:
    """Yield the open file of safetensors."""
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error
    except (SafetensorError, ValueError, TypeError, RecursionError) as error:
        message = f"is no safetensors file, or a broken one ({error})"
        raise FormatError(message, where=path, advice="copy it or make it again") from error


def check_header(header: Header, path: object, *, expected_format: str, version: int) -> None:
    """Raise `FormatError` unless a header is of this format and version."""
    if not header:
        raise FormatError(f"is a safetensors file, but no {expected_format}", where=path)
    if header.get("format") != expected_format:
        raise FormatError(f"is a {header.get('format')}, expected a {expected_format}", where=path)
    if header.get("format_version") != version:
        found = header.get("format_version")
        advice = "install the version of specbridge_tools that wrote it" if found else None
        raise FormatError(f"{expected_format} version {found}, this release reads {version}", where=path, advice=advice)


def check_shapes(
    found: Mapping[str, Sequence[int]], expected: Mapping[str, Sequence[int]], path: object, *, advice: str
) -> None:
    """Raise `MismatchError` unless the tensors of a file have the names and shapes that its configuration asks for.

    The message names the first tensors that are missing, left over or of another shape.
    """
    missing = [name for name in expected if name not in found]
    left_over = [name for name in found if name not in expected]
    reshaped = [
        f"{name} {_shape(found[name])}, expected {_shape(shape)}"
        for name, shape in expected.items()
        if name in found and tuple(found[name]) != tuple(shape)
    ]
    kinds = (("missing", missing), ("left over", left_over), ("of another shape", reshaped))
    parts = [f"{len(names)} {kind} ({_first(names)})" for kind, names in kinds if names]
    if parts:
        message = f"its tensors do not fit its configuration: {'; '.join(parts)}"
        raise MismatchError(message, where=path, advice=advice)


def _first(names: list[str]) -> str:
    return ", ".join([*sorted(names)[:_NAMED_AT_MOST], *(["..."] if len(names) > _NAMED_AT_MOST else [])])


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "scalar"


def write_tensor_file(tensors: Mapping[str, Any], header: Header, path: str | os.PathLike[str]) -> None:
    """Write numpy arrays, or torch tensors on the CPU, and a header; the same content gives the same bytes."""
    metadata = {HEADER_KEY: json.dumps(header, sort_keys=True)}
    if any(type(tensor).__module__.startswith("torch") for tensor in tensors.values()):
        from safetensors.torch import save_file as save_torch_file

        save_torch_file(dict(tensors), path, metadata=metadata)
    else:
        from safetensors.numpy import save_file

        save_file(dict(tensors), path, metadata=metadata)


def _header(metadata: Mapping[str, str] | None) -> Header:
    header = json.loads((metadata or {}).get(HEADER_KEY, "{}"))
    return header if isinstance(header, dict) else {}
