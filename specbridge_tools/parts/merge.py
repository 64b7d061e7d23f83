"""Parts -> the whole, each kind of file in its own way."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.parts.kind import kind_of
from specbridge_tools.parts.marks import NamedPaths, read_part
from specbridge_tools.parts.merge_hdf5 import (
    merge_index_files,
    merge_molecule_embeddings,
    merge_references,
    merge_spectrum_embeddings,
)
from specbridge_tools.parts.merge_text import merge_hits, merge_molecules, merge_spectra
from specbridge_tools.provenance import in_order
from specbridge_tools.records import Tally
from specbridge_tools.streams import STDIO, display_name, seekable_input


class _Merger(Protocol):
    def __call__(self, parts: NamedPaths, destination: str, tally: Tally, *, force: bool) -> None: ...


_MERGERS: dict[str, _Merger] = {
    "hits": merge_hits,
    "spectra": merge_spectra,
    "molecules": merge_molecules,
    "molecule embeddings": merge_molecule_embeddings,
    "spectrum embeddings": merge_spectrum_embeddings,
    "index": merge_index_files,
    "reference": merge_references,
}


def merge_parts(sources: Sequence[str], destination: str, tally: Tally, *, force: bool = False) -> str:
    """Write one file of several.

    Parts that say which shard they are (`provenance.Part`) are merged in the order of their shards: the whole is then
    what one process would have written.

    Args:
        sources: Paths, or `-` once.
        destination: Path or `-`.
        tally: Counts the records.
        force: Replace a file that exists.

    Returns:
        What they hold, e.g. `hits (tsv)`.

    Raises:
        MismatchError: Where the parts are of different kinds, encoders, models or columns, or shards of different runs,
            or shards are missing.
    """
    if sum(source == STDIO for source in sources) > 1:
        raise UsageError("only one part can be stdin")
    with contextlib.ExitStack() as stack:
        present = [source for source in sources if source == STDIO or Path(source).exists()] or sources
        parts = [(stack.enter_context(seekable_input(source)), display_name(source)) for source in present]
        kind = _common_kind(parts)
        # this names missing files by the numbers of their shards, where there are any
        parts = in_order([(read_part(path, name), (path, name), name) for path, name in parts])
        for source in set(sources) - set(present):
            raise DataError("cannot be read (No such file or directory)", where=source)
        _MERGERS[kind.partition(" (")[0]](parts, destination, tally, force=force)
    return kind


def _common_kind(parts: NamedPaths) -> str:
    kinds = [kind_of(path, name) for path, name in parts]
    for kind, (_, name) in zip(kinds, parts, strict=True):
        if kind != kinds[0]:
            message = f"{parts[0][1]} holds {kinds[0]}, {name} holds {kind}"
            raise MismatchError(message, advice="merge files of one kind")
    return kinds[0]
