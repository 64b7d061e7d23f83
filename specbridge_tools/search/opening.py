"""What a search goes through: an index, candidate lists in one, or candidate lists alone."""

import contextlib

from specbridge_tools.errors import DataError
from specbridge_tools.search.index import open_index
from specbridge_tools.search.lists import index_of_lists, lists_in_index
from specbridge_tools.search.table import read_candidate_table


@contextlib.contextmanager
def open_molecules(index=None, candidates=None, *, wanted=None, model=None, tally=None, **encoding):
    """Yield (open index, its `CandidateLists` or None).

    index, candidates  paths or `-`, one of them at least; lists without an index are encoded now, by the molecular
                       encoder of `model`. wanted: see `read_candidate_table`. tally: of the structures of the lists
    encoding           encoder, threads, device and batch_size of `index_of_lists`

    Raises `DataError` where there is no list for any of the spectra.
    """
    if candidates is None:
        with open_index(index) as opened:
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
    with open_index(index) as opened:
        yield opened, lists_in_index(table, opened, tally=tally, threads=encoding.get("threads", 1))
