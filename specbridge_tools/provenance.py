"""Who wrote a file and from what: version strings, content hashes, and which part of a whole a file is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from specbridge_tools import __version__
from specbridge_tools.errors import MismatchError, UsageError
from specbridge_tools.shards import Shard, array_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

CREATED_BY = f"specbridge_tools {__version__}"
_PART = "part="
Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class Part:
    """Which part of a whole a file is, and what it was made from.

    As one line of text it is the attribute `part` of HDF5 files. In a table of hits it is the name of a last column,
    whose cells hold the shard: every reader of tables can still read it, it cannot be lost as a second file beside the
    table can, and it is there even if the shard has no rows.

    Attributes:
        shard: Of the records of the input; 1/1 for all of them.
        n_records: Of the whole input.
        digests: What it was made from (spectra, model, options, ...) -> SHA-256.
        version: Of the package.
    """

    shard: Shard
    n_records: int
    digests: Mapping[str, str]
    version: str = __version__

    def __str__(self) -> str:
        digests = "".join(f" {name}={digest}" for name, digest in self.digests.items())
        return f"{_PART}{self.shard} records={self.n_records} version={self.version}{digests}"

    @classmethod
    def parse(cls, text: str) -> Part | None:
        """Read what `str` wrote; None for any other text."""
        if not text.startswith(_PART):
            return None
        try:
            values = dict(field.split("=", 1) for field in text.split(" "))
            shard, n_records = Shard.parse(values.pop("part")), int(values.pop("records"))
            return cls(shard, n_records, version=values.pop("version"), digests=values)
        except (KeyError, ValueError, UsageError):
            return None

    def differences(self, other: Part) -> list[str]:
        """What differs in the making of another part, by name, in order; [] for two parts of one run."""
        names = dict.fromkeys([*self.digests, *other.digests])
        differing = [name for name in names if self.digests.get(name) != other.digests.get(name)]
        if self.version != other.version:
            differing.append("version of specbridge_tools")
        if self.shard.count != other.shard.count:
            differing.append("number of shards")
        return differing


def is_part(text: str) -> bool:
    """Whether a text, such as the name of a column, tells which part of a whole a file is."""
    return text.startswith(_PART) and Part.parse(text) is not None


def in_order(items: Iterable[tuple[Part | None, Item, str]]) -> list[Item]:
    """Items in the order of their shards; as given, if none of them is marked as a part.

    Args:
        items: (its part or None, item, name for messages).

    Raises:
        MismatchError: If some are parts of a run and others are not, or are parts of another run; if a part is given
            twice, or parts are missing, which are then named as `--array` of Slurm takes them.
    """
    items = list(items)
    shards = _shards_of_one_run(items)
    if not shards:
        return [item for _, item, _ in items]
    by_number: dict[int, tuple[Item, str]] = {}
    for shard, (_, item, name) in zip(shards, items, strict=True):
        if shard.number in by_number:
            message = f"{by_number[shard.number][1]} and {name} are both shard {shard}"
            raise MismatchError(message, advice="give each part once")
        by_number[shard.number] = (item, name)
    count = shards[0].count
    missing = set(range(1, count + 1)) - set(by_number)
    if missing:
        noun = "shard" if len(missing) == 1 else "shards"
        message = f"{noun} {array_text(missing)} of {count} missing"
        raise MismatchError(message, advice=f"run the tasks again, e.g. with --array={array_text(missing)}")
    return [by_number[number][0] for number in sorted(by_number)]


def _shards_of_one_run(items: list[tuple[Part | None, Item, str]]) -> list[Shard]:
    """The shard of each item, [] where none is a part; raises `MismatchError` unless all are parts of one run."""
    first, first_name = next(((part, name) for part, _, name in items if part is not None), (None, ""))
    if first is None:
        return []
    shards = []
    for part, _, name in items:
        if part is None:
            raise MismatchError(f"{first_name} is a part of a run, {name} is not", advice="merge parts of one run")
        if differing := first.differences(part):
            message = f"{name} was not made with the same {', '.join(differing)} as {first_name}"
            raise MismatchError(message, advice="make all parts again in one run")
        shards.append(part.shard)
    return shards


def sha256_file(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file: BinaryIO) -> str:
    # hashlib.file_digest is new in Python 3.11
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def sha256_text(text: str) -> str:
    """SHA-256 of a string's UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_arrays(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of arrays by name, their names and bytes, hexadecimal; their order does not matter."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def sha256_values(values: Mapping[str, object]) -> str:
    """SHA-256 of plain values by name, hexadecimal; their order does not matter."""
    return sha256_text(json.dumps(values, sort_keys=True, default=str))
