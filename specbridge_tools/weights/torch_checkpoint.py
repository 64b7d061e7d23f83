"""Tensors out of torch checkpoints (`torch.save`, PyTorch Lightning) without running what is pickled in them.

The zip archive holds `NAME/data.pkl` and one file `NAME/data/KEY` for each storage. The pickle is read by an unpickler
that imports nothing: it knows how tensors, dictionaries and plain values are put together; every other class becomes an
inert stub; whatever asks for a call of anything else is refused. Written by hand although `torch.load` reads tensors
with `weights_only`, since that refuses the checkpoints of training frameworks, which hold their classes too.
"""

from __future__ import annotations

import _compat_pickle
import contextlib
import dataclasses
import io
import math
import pickle
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from specbridge_tools.errors import DataError, FormatError
from specbridge_tools.forks import failure_of
from specbridge_tools.weights.archive import Archive, open_archive

_MOST_PICKLE_BYTES = 1 << 23
_BROKEN_PICKLE = (
    pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError, KeyError, OverflowError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip
_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# of the standard library: those whose classes are values, which other modules' are not
_VALUES = ("argparse", "collections", "datetime", "decimal", "enum", "fractions", "pathlib", "uuid")
_TRAINERS = ("dreams", "lightning", "lightning_fabric", "msml", "omegaconf", "pytorch_lightning", "torchmetrics")
_CLASS_NAME = re.compile(r"_*[A-Z]\w*(\.[A-Z]\w*)*$")
_INERT_FUNCTIONS = {
    ("builtins", "range"),
    ("builtins", "slice"),
    ("functools", "partial"),
    ("torch", "device"),
    ("torch", "dtype"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
}
_BUILTINS = {kind.__name__: kind for kind in (set, frozenset, complex, dict, list)}


class Stub:
    """What stands for an object of a class that is not let in: it takes everything and does nothing."""

    __slots__ = ()

    def __new__(cls, *values: object, **named: object) -> Stub:
        return super().__new__(cls)

    def __init__(self, *values: object, **named: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, value: object) -> None:
        pass

    extend = add = append


class _Mapping(dict[Any, Any]):
    """An OrderedDict; whatever is attached to it besides its items is left out."""

    def __setstate__(self, state: object) -> None:
        pass


class _Refused(Stub):
    """Stands for what may be named, but neither made nor called."""

    __slots__ = ()
    name = ""

    def __new__(cls, *values: object, **named: object) -> _Refused:
        raise FormatError(f"its pickle asks to call {cls.name}", advice="do not trust this file")


@dataclasses.dataclass(frozen=True)
class _Storage:
    """A storage by its key in the archive; `n_elements` as the pickle says."""

    key: str
    dtype: torch.dtype
    n_elements: int


@dataclasses.dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies in the archive: not read before `Checkpoint.tensor` is asked."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(storage: object, offset: int, size: Sequence[int], stride: Sequence[int], *others: object) -> StoredTensor:
    integers = [offset, *size, *stride]
    if not isinstance(storage, _Storage) or not all(type(value) is int and value >= 0 for value in integers):
        raise pickle.UnpicklingError("a tensor is not of integers and a storage")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    n_values: int = math.prod(size)
    if n_values > storage.n_elements or (n_values and last >= storage.n_elements):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    return StoredTensor(storage, offset, tuple(size), tuple(stride))


def _parameter(tensor: object, *others: object) -> StoredTensor:
    if not isinstance(tensor, StoredTensor):
        raise pickle.UnpicklingError("a parameter is no tensor")
    return tensor


def _member(owner: object, name: object) -> Stub:
    """Some versions of Python pickle a member of an enumeration as an attribute of its class."""
    if isinstance(owner, type) and issubclass(owner, Stub) and not issubclass(owner, _Refused):
        return Stub()
    raise FormatError("its pickle asks to call builtins.getattr", advice="do not trust this file")


def _is_inert(module: str, name: str) -> bool:
    """Whether calling the name only makes a value: a class, or a function that is known."""
    root = module.partition(".")[0]
    if root in (*_VALUES, *_TRAINERS) or (module, name) in _INERT_FUNCTIONS:
        return True
    return root not in sys.stdlib_module_names and _CLASS_NAME.match(name) is not None


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a pickle's name stands for; nothing is imported, and what is returned is new each time."""
        # torch pickles names as Python 2 spells them
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        if module == "builtins" and name in _BUILTINS:
            return _BUILTINS[name]
        if (module, name) == ("collections", "OrderedDict"):
            return _Mapping
        if (module, name) == ("collections", "defaultdict"):
            return lambda *values: _Mapping()
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return lambda *values: _tensor(*values)
        if module == "torch._utils" and name in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
            return lambda *values: _parameter(*values)
        if module == "_codecs" and name == "encode":
            return lambda text, encoding: bytes(text, "latin1")
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("builtins", "getattr"):
            return lambda owner, name: _member(owner, name)
        base = Stub if _is_inert(module, name) else _Refused
        return type("Stub", (base,), {"__slots__": (), "name": f"{module}.{name}"})

    def persistent_load(self, reference: Any) -> _Storage:
        """('storage', dtype, key, location, n_elements) -> `_Storage`."""
        kind, dtype, key, _, n_elements = reference
        if kind != "storage" or not isinstance(dtype, torch.dtype) or type(n_elements) is not int:
            raise pickle.UnpicklingError(f"a storage of type {getattr(dtype, 'name', dtype)}")
        return _Storage(str(key), dtype, n_elements)


class Checkpoint:
    """An open checkpoint.

    Attributes:
        content: What was saved, with `StoredTensor` for tensors and `Stub` for unknown classes.
    """

    def __init__(self, archive: Archive, path: str | Path) -> None:
        self._archive = archive
        self._path = path
        pickles = [name for name in archive.names() if name.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1:
            raise FormatError("is a zip archive, but no torch checkpoint", where=path)
        self._root = pickles[0].removesuffix("data.pkl")
        self._order = self._byte_order()
        self.content: object = self._unpickle(pickles[0])

    def _byte_order(self) -> str:
        name = f"{self._root}byteorder"
        is_big = self._archive.size(name) is not None and self._archive.read(name).strip() == b"big"
        return ">" if is_big else "<"

    def _unpickle(self, name: str) -> object:
        content = self._archive.read(name, most=_MOST_PICKLE_BYTES)
        # a pickle can nest values deeper than the interpreter's stack, and make many of few bytes
        if failure := failure_of(lambda: _Unpickler(io.BytesIO(content)).load()):
            raise FormatError(f"its pickle cannot be read safely (reading it {failure})", where=self._path)
        try:
            return _Unpickler(io.BytesIO(content)).load()
        except FormatError as error:
            error.where = self._path
            raise
        except _BROKEN_PICKLE as error:
            raise FormatError(f"its pickle cannot be read safely ({error})", where=self._path) from error

    def tensor(self, stored: StoredTensor) -> torch.Tensor:
        """`StoredTensor` -> a tensor of its own on the CPU."""
        storage = stored.storage
        name, size = f"{self._root}data/{storage.key}", storage.dtype.itemsize
        n_bytes = self._archive.size(name)
        if n_bytes is None:
            raise FormatError(f"storage {storage.key} is missing", where=self._path)
        if n_bytes != storage.n_elements * size:
            raise FormatError(f"storage {storage.key} is not of the size that the pickle says", where=self._path)
        data = self._archive.read(name, most=n_bytes)
        words = np.frombuffer(data, f"{self._order}u{size}", count=storage.n_elements)
        words = np.array(words, f"u{size}")  # native byte order, and writable
        whole = torch.from_numpy(words.view(f"i{size}")).view(storage.dtype)
        return whole.as_strided(stored.shape, stored.stride, stored.offset).clone(memory_format=torch.contiguous_format)


@contextlib.contextmanager
def open_checkpoint(path: str | Path) -> Iterator[Checkpoint]:
    """Yield the `Checkpoint` at a path; `FormatError` where it is none, or one that asks for more than tensors."""
    with open_archive(path) as archive:
        yield Checkpoint(archive, path)


def is_checkpoint(path: str | Path) -> bool:
    """Whether a file begins like a zip archive or a pickle, the formats of `torch.save`."""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=path) from error
    return start[:2] in (b"PK", b"\x80\x02", b"\x80\x04")


def state_dict(content: object) -> dict[str, StoredTensor] | None:
    """{name: `StoredTensor`} of what a checkpoint holds: its `state_dict`, or itself; None where there is none."""
    for values in (content.get("state_dict"), content) if isinstance(content, dict) else ():
        if isinstance(values, dict):
            tensors = {
                name: value
                for name, value in values.items()
                if isinstance(value, StoredTensor) and isinstance(name, str)
            }
            if tensors:
                return tensors
    return None
