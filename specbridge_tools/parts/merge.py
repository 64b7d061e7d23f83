"""Parts -> the whole, each kind of file in its own way."""

import contextlib
from pathlib import Path

from specbridge_tools.errors import DataError, MismatchError, UsageError
from specbridge_tools.parts.kind import kind_of
from specbridge_tools.parts.marks import read_part
from specbridge_tools.parts.merge_hdf5 import (
    merge_index_files,
    merge_molecule_embeddings,
    merge_spectrum_embeddings,
)
from specbridge_tools.parts.merge_text import merge_hits, merge_molecules, merge_spectra
from specbridge_tools.provenance import in_order
from specbridge_tools.streams import STDIO, display_name, seekable_input

_MERGERS = {
    "hits": merge_hits,
    "spectra": merge_spectra,
    "molecules": merge_molecules,
    "molecule embeddings": merge_molecule_embeddings,
    "spectrum embeddings": merge_spectrum_embeddings,
    "index": merge_index_files,
}


def merge_parts(sources, destination, tally, *, force=False):
    """Write one file of several (paths, or `-` once) to a path or `-`; returns what they hold, e.g. `hits (tsv)`.

    Parts that say which shard they are (`provenance.Part`) are merged in the order of their shards: the whole is then
    what one process would have written. Records are counted by `tally`. Raises `MismatchError` where the parts are of
    different kinds, encoders, models or columns, or shards of different runs, or not all of them are there.
    """
    if sum(str(source) == STDIO for source in sources) > 1:
        raise UsageError("only one part can be stdin")
    with contextlib.ExitStack() as stack:
        there = [source for source in sources if str(source) == STDIO or Path(source).exists()] or sources
        named = [(stack.enter_context(seekable_input(source)), display_name(source)) for source in there]
        kind = _common_kind(named)
        # what is not there is told by the numbers of the shards that are missing
        named = in_order([(read_part(path, name), (path, name), name) for path, name in named])
        for source in set(sources) - set(there):
            raise DataError("cannot be read (No such file or directory)", where=source)
        _MERGERS[kind.partition(" (")[0]](named, destination, tally, force=force)
    return kind


def _common_kind(named):
    kinds = [kind_of(path, name) for path, name in named]
    for kind, (_, name) in zip(kinds, named, strict=True):
        if kind != kinds[0]:
            found = f"{named[0][1]} holds {kinds[0]}, {name} holds {kind}"
            raise MismatchError(found, advice="merge files of one kind")
    return kinds[0]
