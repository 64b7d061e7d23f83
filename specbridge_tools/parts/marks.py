"""Which `Part` of a whole a file says it is: an attribute of HDF5, the last column of a table of hits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from specbridge_tools.content import HDF5_SIGNATURE, foreign
from specbridge_tools.hdf5_file import open_hdf5
from specbridge_tools.provenance import Part
from specbridge_tools.streams import open_input

NamedPaths: TypeAlias = Sequence[tuple[Path, str]]
"""Files that are to be merged, each with its name as messages show it."""
_LONGEST_HEADER = 1 << 16


def read_part(path: str | os.PathLike[str], name: str | None = None) -> Part | None:
    """The part that a file is, None where it does not say.

    Raises:
        FormatError: Where HDF5 was cut short; it names the file by `name`.
    """
    name = name or str(path)
    with open_input(path) as stream:
        head = stream.read(_LONGEST_HEADER)
    if head.startswith(HDF5_SIGNATURE):
        return _of_hdf5(path, name)
    if foreign(head) or not head:
        return None
    return Part.parse(head.partition(b"\n")[0].decode(errors="replace").rpartition("\t")[2].rstrip("\r"))


def _of_hdf5(path: str | os.PathLike[str], name: str) -> Part | None:
    with open_hdf5(path, name, expected="embeddings or an index") as file:
        return Part.parse(str(file.attributes.get("part", "")))
