"""The process that reads an HDF5 file that anyone may have made, for `hdf5_file`, which forks it.

The HDF5 library loops or crashes on some damaged files, without letting anything else of its process run. So it reads
in a fork, which has limits of processor time and memory. The two speak JSON and bytes: first the fork says what the
file holds, then it answers requests for rows.

HDF5 can also make a reader open other files (links, external storage, virtual datasets), unpack a few bytes to
terabytes (filters, chunks that were never written, texts that share one value) or load plugins. All that is refused
before it is used.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from multiprocessing.connection import Connection
from typing import Any, NoReturn, TypeAlias

import h5py
import numpy as np

from specbridge_tools.forks import allow_time, limit_process

TEXT = "text"
"""The type of texts of any length, where numbers have that of numpy."""
Plain: TypeAlias = "int | float | str"

_ITEMS = 1000  # datasets, or attributes of one
# processor time for the first look, and for each request, besides what any fork has
_BYTES_PER_SECOND = 20_000_000
_TEXTS_PER_SECOND = 20_000
_LOOKED_AT_PER_SECOND = 1_000_000_000  # bytes, of whose chunks only the places are read
# deflate makes of one byte at most so many: https://zlib.net/zlib_tech.html
_MOST_INFLATION = 1032
# values that are packed closer than that are no measurements, where there are many
_CLOSELY_PACKED = 100
_MANY_BYTES = 1 << 28
_LINKS = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link to another file"}
_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE)
_TYPES = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING)


class _Refused(Exception):
    """What no file of this package holds."""


def serve(connection: Connection, path: str) -> NoReturn:
    """Be the process of a file, right after the fork, until the other end of the connection is closed."""
    try:
        n_bytes = os.path.getsize(path)
        limit_process(n_bytes / _LOOKED_AT_PER_SECOND)
        with contextlib.suppress(EOFError, OSError):
            _answer(connection, path, n_bytes)
    finally:
        # whatever the parent had open or buffered is its own
        os._exit(0)


def _answer(connection: Connection, path: str, n_bytes: int) -> None:
    try:
        with h5py.File(path, "r") as file:
            _send(connection, _contents(file, n_bytes))
            texts = _Texts(n_bytes)
            while True:
                name, start, stop = json.loads(connection.recv_bytes())
                _send_rows(connection, file[name], start, stop, texts)
    except EOFError:
        raise
    except _Refused as error:
        _send(connection, {"refused": str(error)})
    except MemoryError:
        _send(connection, {"refused": "it needs more memory than a file of its kind does"})
    except Exception as error:  # what h5py raises on a broken file is of many classes
        _send(connection, {"damaged": " ".join(str(error).split())})


def _send(connection: Connection, values: object) -> None:
    connection.send_bytes(json.dumps(values).encode())


class _Texts:
    """How many bytes of text each column has given: it cannot hold more than the file, unless texts share a value."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._given: dict[str, tuple[int, int]] = {}

    def count(self, name: str, start: int, stop: int, n_bytes: int) -> None:
        row, given = self._given.get(name, (0, 0))
        given = n_bytes + (given if row == start else 0)
        self._given[name] = stop, given
        if given > self._n_bytes:
            raise _Refused(f"the texts of dataset {name} are longer than the file: many share one value")


def _send_rows(connection: Connection, dataset: h5py.Dataset, start: int, stop: int, texts: _Texts) -> None:
    """Numbers as their bytes; texts as where each ends (int64) and their bytes end to end."""
    name = dataset.name.removeprefix("/")
    if not h5py.check_string_dtype(dataset.dtype) or dataset.dtype.kind == "S":
        allow_time((stop - start) * dataset.dtype.itemsize * math.prod(dataset.shape[1:]) / _BYTES_PER_SECOND)
        parts = [dataset[start:stop]]
    else:
        allow_time((stop - start) / _TEXTS_PER_SECOND)
        values: list[bytes] = dataset[start:stop].tolist()
        ends = np.cumsum([0, *map(len, values)], dtype=np.int64)
        texts.count(name, start, stop, int(ends[-1]))
        parts = [ends[1:], np.frombuffer(b"".join(values), np.uint8)]
    flat = [np.ascontiguousarray(part).reshape(-1).view(np.uint8) for part in parts]
    _send(connection, {"rows": stop - start})
    for part in flat:
        connection.send_bytes(part.data)


def _contents(file: h5py.File, n_bytes: int) -> dict[str, Any]:
    """What a file holds: {attributes, datasets: {name: shape, dtype, offset, attributes}}; the offset of one block."""
    attributes = _attributes(file, "the file", n_bytes)
    datasets: dict[str, Any] = {}
    for key in file.id:
        name = os.fsdecode(key)
        if len(datasets) >= _ITEMS:
            raise _Refused(f"it holds more than {_ITEMS} datasets")
        kind = file.id.links.get_info(key).type
        if kind != h5py.h5l.TYPE_HARD:
            raise _Refused(f"{name} is {_LINKS.get(kind, 'a link of unknown kind')}")
        opened = h5py.h5o.open(file.id, key)
        if not isinstance(opened, h5py.h5d.DatasetID):
            what = "a group" if isinstance(opened, h5py.h5g.GroupID) else "a type"
            raise _Refused(f"{name} is {what}, not a dataset")
        item = f"dataset {name}"
        _check_dataset(opened, item, n_bytes)
        datasets[name] = {
            "shape": opened.shape,
            "dtype": TEXT if _is_text(opened.get_type()) else opened.dtype.str,
            "offset": _offset(opened),
            "attributes": _attributes(h5py.Dataset(opened), item, n_bytes),
        }
    return {"attributes": attributes, "datasets": datasets}


def _offset(dataset: h5py.h5d.DatasetID) -> int | None:
    """Where the values lie in the file, None where they are not in one block."""
    if dataset.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS:
        return None
    offset: int | None = dataset.get_offset()
    return 0 if offset is None and not math.prod(dataset.shape) else offset


def _is_text(kind: h5py.h5t.TypeID) -> bool:
    return isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()


def _check_dataset(dataset: h5py.h5d.DatasetID, item: str, n_bytes: int) -> None:
    # the layout first: already the shape of a virtual dataset may depend on other files
    properties = dataset.get_create_plist()
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        raise _Refused(f"{item} is virtual: its values are in other datasets")
    if properties.get_external_count():
        raise _Refused(f"{item} has its values in another file")
    _check_type(dataset.get_type(), item)
    if dataset.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        raise _Refused(f"{item} has no values")
    filters = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if not set(filters) <= set(_FILTERS):
        raise _Refused(f"{item} is packed with a filter other than gzip and shuffle")
    _check_size(dataset, properties, item, n_bytes, is_packed=h5py.h5z.FILTER_DEFLATE in filters)


def _check_type(kind: h5py.h5t.TypeID, item: str) -> None:
    if kind.get_class() not in _TYPES:
        raise _Refused(f"{item} holds neither plain numbers nor text")


def _check_size(
    dataset: h5py.h5d.DatasetID, properties: h5py.h5p.PropDCID, item: str, n_bytes: int, *, is_packed: bool
) -> None:
    """Refuse a dataset of more data than its bytes in the file, which has `n_bytes`, can hold."""
    value = dataset.get_type().get_size()
    size = value * math.prod(dataset.shape)
    layout = properties.get_layout()
    if not size:
        return
    if layout == h5py.h5d.CONTIGUOUS:
        offset = dataset.get_offset()
        if offset is None:
            raise _Refused(f"{item} has no values: they were never written")
        size += offset
    elif layout == h5py.h5d.CHUNKED:
        chunk = value * math.prod(properties.get_chunk())
        size = max(size, chunk)
        # a last chunk is stored whole
        stored = min(n_bytes, dataset.get_storage_size())
        most = stored * _MOST_INFLATION if is_packed else stored
        if size > max(most, chunk if stored else 0) or (size > _MANY_BYTES and size > stored * _CLOSELY_PACKED):
            raise _Refused(f"{item} would be larger than its {stored} bytes in the file can hold")
    if size > n_bytes * (_MOST_INFLATION if is_packed else 1):
        raise _Refused(f"{item} would be larger than a file of {n_bytes} bytes can hold")


def _attributes(item: h5py.File | h5py.Dataset, what: str, n_bytes: int) -> dict[str, Plain]:
    """The attributes of a file or dataset, each a single number or text."""
    item_id = item.id
    n_attributes = h5py.h5a.get_num_attrs(item_id)
    if n_attributes > _ITEMS:
        raise _Refused(f"{what} has more than {_ITEMS} attributes")
    values: dict[str, Plain] = {}
    for number in range(n_attributes):
        attribute = h5py.h5a.open(item_id, index=number)
        name = os.fsdecode(attribute.name)
        where = f"attribute {name} of {what}"
        _check_type(attribute.get_type(), where)
        space = attribute.get_space()
        if space.get_simple_extent_type() != h5py.h5s.SCALAR or attribute.get_storage_size() > n_bytes:
            raise _Refused(f"{where} is not a single value")
        values[_text(name)] = _plain(item.attrs[name], where)
    return values


def _plain(value: object, where: str) -> Plain:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bytes):
        plain = os.fsdecode(plain)
    if isinstance(plain, str):
        return _text(plain)
    if isinstance(plain, (int, float)):
        return plain
    raise _Refused(f"{where} is a number that is not known")


def _text(text: str) -> str:
    """Text whose bytes that are not UTF-8 are replaced."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
