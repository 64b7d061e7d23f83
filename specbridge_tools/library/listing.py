"""What there is of the library on this machine, for `sb-library list`."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from specbridge_tools.errors import SpecbridgeError
from specbridge_tools.library.build import Target
from specbridge_tools.library.packed import LibraryFacts
from specbridge_tools.library.store import FOLDER, index_name, library_facts, own_path, target_of
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.weights.catalogue import shared_folders, store_folder

LIBRARY = "library"
INDEX = "index"


@dataclasses.dataclass(frozen=True)
class LibraryFile:
    """One file.

    Attributes:
        what: `LIBRARY`, the molecules that ship, or `INDEX`, one that was built of them.
        status: present, absent (the index for the model that ships, which the first use builds), old (of another
            library) or damaged.
        molecules: How many there are; None where that is not known.
        licence: Of the library as a whole.
        encoder: The molecular encoder of an index, with the start of the hash of its weights.
        size: In bytes; None where it is absent.
        path: Where it is, or would be.
    """

    what: str
    status: str
    molecules: int | None
    licence: str
    encoder: str
    size: int | None
    path: str


def list_library() -> list[LibraryFile]:
    """The library that ships, the index for the model that ships, and all others in the stores."""
    facts, target = library_facts(), target_of(None)
    name = index_name(facts, target)
    files = [
        path for folder in (*shared_folders(), store_folder()) for path in sorted((folder / FOLDER).glob("*.h5"))
    ]  # fmt: skip
    listed = [_index(path, facts) for path in sorted(files, key=lambda path: path.name != name)]
    if not any(path.name == name for path in files):
        path = own_path(facts, target)
        listed.insert(0, LibraryFile(INDEX, "absent", None, facts.licence, _encoder(target), None, str(path)))
    size = facts.path.stat().st_size
    return [LibraryFile(LIBRARY, "present", facts.n_molecules, facts.licence, "", size, str(facts.path)), *listed]


def _index(path: Path, facts: LibraryFacts) -> LibraryFile:
    size = None
    with contextlib.suppress(OSError):
        size = path.stat().st_size
    try:
        with open_index(path) as index:
            space, n = index.space, index.n
    except (SpecbridgeError, OSError):
        return LibraryFile(INDEX, "damaged", None, facts.licence, "", size, str(path))
    target = Target("", space.encoder, space.weights_sha256, space.molecule_head_sha256)
    status = "present" if index_name(facts, target) == path.name and n == facts.n_molecules else "old"
    return LibraryFile(INDEX, status, n, facts.licence, _encoder(target), size, str(path))


def _encoder(target: Target) -> str:
    head = f", head {target.head_sha256[:8]}" if target.head_sha256 else ""
    return f"{target.encoder} [weights {target.weights_sha256[:8]}{head}]"
