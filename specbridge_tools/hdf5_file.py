"""Opening an HDF5 file that anyone may have made; what no file of this package holds is refused before it is used.

HDF5 can make a reader open other files (links, external storage, virtual datasets), unpack a few bytes to terabytes
(filters, chunks that were never written) or load plugins. Files of this package are flat: datasets of numbers and
strings in the root group, plain or compressed with gzip.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator

import h5py

from specbridge_tools.content import HDF5_SIGNATURE
from specbridge_tools.errors import DataError, FormatError

_DAMAGED_ADVICE = "copy it or make it again"
# what h5py raises on broken files
_HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError)
# deflate makes of one byte at most so many: https://zlib.net/zlib_tech.html
_MOST_INFLATION = 1032
_LINKS = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link to another file"}
_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE)
_TYPES = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING)


def open_hdf5(path: str | os.PathLike[str], name: str, *, expected: str, advice: str = _DAMAGED_ADVICE) -> h5py.File:
    """Open a file for reading, once its structure has been checked.

    Args:
        path: of a file; a pipe must have been copied (`streams.seekable_input`).
        name: of the file, as messages show it.
        expected: what the file should be, e.g. `an index`.
        advice: how to make such a file; shown where this is not HDF5.

    Raises:
        DataError: The file cannot be read.
        FormatError: It is not HDF5, damaged, or holds what no file of this package does: links, groups, data outside
            the file, virtual datasets, filters other than gzip and shuffle, types other than numbers and strings,
            more data than its bytes can hold.
    """
    _check_signature(path, name, expected, advice)
    with contextlib.ExitStack() as on_error, hdf5_errors(name):
        file = on_error.enter_context(h5py.File(path, "r"))
        _check_contents(file, name, os.path.getsize(path))
        on_error.pop_all()
    return file


@contextlib.contextmanager
def hdf5_errors(name: str) -> Iterator[None]:
    """Turn what h5py raises on a damaged file into a `FormatError` that names the file."""
    try:
        yield
    except _HDF5_ERRORS as error:
        reason = " ".join(str(error).split())
        what = f"is a truncated or damaged HDF5 file ({reason})"
        raise FormatError(what, where=name, advice=_DAMAGED_ADVICE) from error


def _check_signature(path: str | os.PathLike[str], name: str, expected: str, advice: str) -> None:
    try:
        with open(path, "rb") as file:
            start = file.read(len(HDF5_SIGNATURE))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=name) from error
    if start != HDF5_SIGNATURE:
        what = "is not an HDF5 file" if start else "is empty"
        raise FormatError(f"{what}, expected {expected}", where=name, advice=advice)


def _check_contents(file: h5py.File, name: str, n_bytes: int) -> None:
    _check_attributes(file.id, "the file", name)
    for key in file.id:
        item = f"dataset {os.fsdecode(key)}"
        kind = file.id.links.get_info(key).type
        if kind != h5py.h5l.TYPE_HARD:
            raise _refused(f"{os.fsdecode(key)} is {_LINKS.get(kind, 'a link of unknown kind')}", name)
        opened = h5py.h5o.open(file.id, key)
        if not isinstance(opened, h5py.h5d.DatasetID):
            what = "a group" if isinstance(opened, h5py.h5g.GroupID) else "a type"
            raise _refused(f"{os.fsdecode(key)} is {what}, not a dataset", name)
        # the layout first: already the shape of a virtual dataset may depend on other files
        properties = opened.get_create_plist()
        if properties.get_layout() == h5py.h5d.VIRTUAL:
            raise _refused(f"{item} is virtual: its values are in other datasets", name)
        if properties.get_external_count():
            raise _refused(f"{item} has its values in another file", name)
        _check_type(opened.get_type(), item, name)
        _check_size(opened, properties, item, name, n_bytes)
        _check_attributes(opened, item, name)


def _check_type(kind: h5py.h5t.TypeID, item: str, name: str) -> None:
    if kind.get_class() not in _TYPES:
        raise _refused(f"{item} holds neither plain numbers nor text", name)


def _check_size(dataset: h5py.h5d.DatasetID, properties: h5py.h5p.PropDCID, item: str, name: str, n_bytes: int) -> None:
    """Refuse a dataset of more data than `n_bytes`, the size of the file, can hold."""
    filters = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if not set(filters) <= set(_FILTERS):
        raise _refused(f"{item} is packed with a filter other than gzip and shuffle", name)
    most = n_bytes * (_MOST_INFLATION if h5py.h5z.FILTER_DEFLATE in filters else 1)
    size = dataset.get_type().get_size() * math.prod(dataset.shape)
    layout = properties.get_layout()
    if size and layout == h5py.h5d.CHUNKED:
        size = max(size, dataset.get_type().get_size() * math.prod(properties.get_chunk()))
    if size and layout == h5py.h5d.CONTIGUOUS:
        offset = dataset.get_offset()
        if offset is None:
            raise _refused(f"{item} has no values: they were never written", name)
        size += offset
    if size > most:
        raise _refused(f"{item} would be larger than a file of {n_bytes} bytes can hold", name)


def _check_attributes(item_id: h5py.h5f.FileID | h5py.h5d.DatasetID, item: str, name: str) -> None:
    for number in range(h5py.h5a.get_num_attrs(item_id)):
        attribute = h5py.h5a.open(item_id, index=number)
        _check_type(attribute.get_type(), f"attribute {os.fsdecode(attribute.name)} of {item}", name)


def _refused(what: str, name: str) -> FormatError:
    advice = "no file of specbridge_tools has this: make it again with one of its commands"
    return FormatError(what, where=name, advice=advice)
