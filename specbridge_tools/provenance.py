"""Who wrote a file and from what: version strings, content hashes, and what part of a whole a file is."""

import dataclasses
import hashlib
import json

from specbridge_tools import __version__
from specbridge_tools.errors import MismatchError, UsageError
from specbridge_tools.shards import Shard, array_text

CREATED_BY = f"specbridge_tools {__version__}"
_PART = "part="


@dataclasses.dataclass(frozen=True)
class Part:
    """Which part of a whole a file is, and what it was made from.

    shard      `Shard` of the input's records; 1/1 for all of them
    n_records  of the whole input
    digests    what it was made from (spectra, model, options, ...) -> SHA-256
    version    of the package

    As one line of text it stands in the attribute `part` of HDF5 files. In a table of hits it is the name of a last
    column, whose cells say the shard: every reader of tables still reads it, it cannot get lost beside the table as a
    second file can, and it is there where a shard has no rows.
    """

    shard: Shard
    n_records: int
    digests: dict
    version: str = __version__

    def __str__(self):
        digests = "".join(f" {name}={digest}" for name, digest in self.digests.items())
        return f"{_PART}{self.shard} records={self.n_records} version={self.version}{digests}"

    @classmethod
    def parse(cls, text):
        """What `str` wrote, or None for any other text."""
        if not text.startswith(_PART):
            return None
        try:
            values = dict(field.split("=", 1) for field in text.split(" "))
            shard, n_records = Shard.parse(values.pop("part")), int(values.pop("records"))
            return cls(shard, n_records, version=values.pop("version"), digests=values)
        except (KeyError, ValueError, UsageError):
            return None

    def differences(self, other):
        """Names of what another part was made from otherwise, in order; [] for two of one run."""
        names = dict.fromkeys([*self.digests, *other.digests])
        found = [name for name in names if self.digests.get(name) != other.digests.get(name)]
        if self.version != other.version:
            found.append("version of specbridge_tools")
        if self.shard.count != other.shard.count:
            found.append("number of shards")
        return found

    def with_digests(self, digests):
        """The same part, made from more."""
        return dataclasses.replace(self, digests=self.digests | digests)


def is_part(text):
    """Whether a text, such as the name of a column, says which part of a whole a file is."""
    return text.startswith(_PART) and Part.parse(text) is not None


def in_order(named):
    """Parts [(part or None, thing, name to show)] -> the things, in the order of their shards.

    What says nothing of itself stays in the order given. Raises `MismatchError` where some are parts of a run and
    others not, or of another run, where one stands twice or some are missing; these are named as --array takes them.
    """
    marked = [each for each in named if each[0] is not None]
    if not marked:
        return [thing for _, thing, _ in named]
    first, _, first_name = marked[0]
    for part, _, name in named:
        if part is None:
            raise MismatchError(f"{first_name} is a part of a run, {name} is not", advice="merge parts of one run")
        if different := first.differences(part):
            message = f"{name} was made with other {', '.join(different)} than {first_name}"
            raise MismatchError(message, advice="make all parts again in one run")
    name_of = {}
    for part, _, name in marked:
        if part.shard.number in name_of:
            message = f"{name_of[part.shard.number]} and {name} are both shard {part.shard}"
            raise MismatchError(message, advice="give each part once")
        name_of[part.shard.number] = name
    missing = set(range(1, first.shard.count + 1)) - set(name_of)
    if missing:
        what = "shard" if len(missing) == 1 else "shards"
        message = f"{what} {array_text(missing)} of {first.shard.count} missing"
        raise MismatchError(message, advice=f"run the tasks again, e.g. with --array={array_text(missing)}")
    return [thing for _, thing, _ in sorted(named, key=lambda each: each[0].shard.number)]


def sha256_file(path):
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(handle)


def _digest(handle):
    # hashlib.file_digest is new in Python 3.11
    digest = hashlib.sha256()
    while block := handle.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def sha256_text(text):
    """SHA-256 of a string's UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_values(values):
    """SHA-256 of plain values by name, hexadecimal; their order does not matter."""
    return sha256_text(json.dumps(values, sort_keys=True, default=str))
