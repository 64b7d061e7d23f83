"""What a search goes through: an index, candidate lists in one, or candidate lists alone."""

import contextlib
import os
from pathlib import Path

from specbridge_tools.errors import DataError, UsageError
from specbridge_tools.search.candidates.list_file import read_candidate_table
from specbridge_tools.search.candidates.lists import index_of_lists, lists_in_index
from specbridge_tools.search.index.reader import open_index
from specbridge_tools.search.multi_index import opened_together


def index_files(sources):
    """A path, or several -> the paths of index files, those of a folder by their names."""
    sources = [sources] if isinstance(sources, (str, os.PathLike)) else sources
    files = []
    for source in sources:
        inside = sorted(Path(source).glob("*.h5")) if Path(source).is_dir() else [source]
        if not inside:
            raise DataError("Is a directory without an index (*.h5)", where=source)
        files += inside
    return files


@contextlib.contextmanager
def open_molecules(index=None, candidates=None, *, wanted=None, model=None, tally=None, **encoding):
    """Yield (open index, its `CandidateLists` or None).

    index, candidates  paths or `-`, one of them at least; `index` may be several, and folders of indexes. Lists without
                       an index are encoded now, by the molecular encoder of `model`. wanted: see
                       `read_candidate_table`. tally: of the structures of the lists
    encoding           encoder, threads, device and batch_size of `index_of_lists`

    Raises `DataError` where there is no list for any of the spectra.
    """
    if candidates is None:
        with opened_together([open_index(path) for path in index_files(index)]) as opened:
            yield opened, None
        return
    table = read_candidate_table(candidates, wanted=wanted)
    if not table.lists:
        advice = "query_id must be the ids of the spectra (or of their groups), list_id their field CANDIDATES"
        raise DataError(f"no {table.key} is that of a spectrum", where=table.name, advice=advice)
    if index is None:
        with index_of_lists(table, model, tally=tally, **encoding) as made:
            yield made
        return
    files = index_files(index)
    if len(files) > 1:
        raise UsageError("lists are ranked in one index", advice="merge the indexes with sb-merge")
    with open_index(files[0]) as opened:
        yield opened, lists_in_index(table, opened, tally=tally, threads=encoding.get("threads", 1))
