"""Ranked candidates for each spectrum, in the order of the file."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from specbridge_tools.errors import UsageError
from specbridge_tools.hits.hits import COLUMNS, Hits, HitWriter
from specbridge_tools.hits.ranking import ranked
from specbridge_tools.hits.rows import Answer, above_probability, hits_of_candidates, hits_without_candidates
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Tally
from specbridge_tools.search.candidates.open_search import by_graph, by_ivf, exhaustive
from specbridge_tools.search.candidates.retrieve import by_formula, by_list, by_mass, list_name
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE, Tolerance
from specbridge_tools.search.index.hnsw import load_graph
from specbridge_tools.search.index.ivf import load_ivf
from specbridge_tools.search.multi_index import MultiIndex, join_searches
from specbridge_tools.search.queries.reader import DEFAULT_FORMULA_FIELD, QueryReader
from specbridge_tools.spectra.fields import canonical_key

MODES = ("mass", "formula", "open")
# Several rows may be of one molecule, and are merged: ask for some more than are wanted.
_SPARE = 10
# IVF lists hold rounded vectors: the best by these hold the best ones, but not in the same order.
_ROUNDED = 2


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """What to search, and how much of it to report.

    mode           mass: molecules within `tolerance` of the neutral mass; formula: those of the spectrum's formula;
                   open: all, by the index's graph or IVF lists, or exactly where `exact`
    top            candidates to report for each query, best first; 0 for all
    formula_field  field of the spectrum's metadata that holds its formula
    hnsw_ef        candidates that the graph search keeps (hnswlib's ef)
    ivf_probes     lists that the IVF search looks through
    min_probability  leave out candidates whose probability is below, in [0, 1]; None for none
    group_by       field of the spectra's metadata whose value names a group to be answered as one, or None
    with_ties      report those that tie with the last of `top` as well
    """

    mode: str = "mass"
    tolerance: Tolerance = DEFAULT_TOLERANCE
    top: int = 10
    exact: bool = False
    formula_field: str = DEFAULT_FORMULA_FIELD
    hnsw_ef: int = 200
    ivf_probes: int = 32
    min_probability: float | None = None
    group_by: str | None = None
    with_ties: bool = False

    def __post_init__(self):
        if self.mode not in MODES:
            raise UsageError(f"no mode {self.mode!r}", advice=f"known: {', '.join(MODES)}")
        if self.mode == "open" and not self.exact and self.top == 0:
            raise UsageError(
                "graph and IVF lists cannot rank all molecules", advice="use --exact, or --top of at least 1"
            )
        if self.mode == "open" and self.min_probability is not None:
            advice = "search by mass or formula, or leave --min-probability out"
            raise UsageError("an open search states no probabilities", advice=advice)

    @property
    def group_field(self):
        """The field of `group_by` as metadata name it, or None."""
        return None if self.group_by is None else canonical_key(self.group_by)


def query(source, *, index, **settings) -> Iterator[Hits]:
    """Yield the `Hits` of each record or group of `source`, in its order; arguments as in `search_queries`."""
    return (one.hits for one in search_queries(source, index=index, **settings))


def search_queries(
    source,
    *,
    index,
    model=None,
    lists=None,
    options=SearchOptions(),
    input_format="auto",
    batch_size=64,
    threads=1,
    tally=None,
    keep_spectra=False,
    record_range=None,
) -> Iterator[Answer]:
    """Yield the `Answer` to each record or group of `source`, in its order; without candidates it holds the reason.

    source   path or `-`: spectra in any format, or spectrum embeddings
    index    an open `Index`
    model    encodes spectra, and turns scores into probabilities; not needed for spectrum embeddings
    lists    `CandidateLists` of the index to rank, whatever `options.mode`; None to search the index
    tally    counts the records; a new one where None
    keep_spectra  whether the answers hold their spectra
    record_range   `shards.RecordRange` of the records to answer, None for all

    Raises `MismatchError` where index, model and embeddings do not belong together.
    """
    if record_range is not None and options.group_by is not None:
        raise UsageError("spectra of a group may stand in several shards", advice="leave --shard or --group-by out")
    calibration = _calibration(model, options)
    reader = QueryReader(
        index,
        tally=tally or Tally(noun="spectra"),
        model=model,
        formula_field=options.formula_field.lower() if options.mode == "formula" else None,
        group_field=options.group_field,
        tolerance=options.tolerance,
        input_format=input_format,
        batch_size=batch_size,
        keep_spectra=keep_spectra,
        record_range=record_range,
    )
    search = _search(index, lists, options, threads)
    for queries in reader.read(source):
        found = iter(search([each for each in queries if not each.reason]))
        for each in queries:
            if each.reason:
                hits = hits_without_candidates(each, each.reason)
            else:
                hits = _hits(index, each, ranked(next(found)), lists, options, calibration)
            yield Answer(hits, each.spectra)


def _calibration(model, options):
    """What turns scores into probabilities, or None. Raises `UsageError` where they are needed and there is none."""
    # a list that was not searched whole says nothing about the candidates that are missing from it
    calibration = model.calibration if model is not None and options.mode != "open" else None
    if calibration is None and options.min_probability is not None:
        message = "spectrum embeddings alone" if model is None else f"model {model.name}"
        advice = "give a calibrated --model, or leave --min-probability out"
        raise UsageError(f"{message} cannot state probabilities", advice=advice)
    return calibration


def _hits(index, query, best, lists, options, calibration):
    if not len(best):
        reason = _nothing_found(options) if lists is None else lists.reason(list_name(query, lists))
        return hits_without_candidates(query, reason)
    n_candidates = index.n if options.mode == "open" else len(best)
    n_rows = min(options.top or len(best), len(best))
    if options.with_ties:
        n_rows = int(np.searchsorted(-best.score, -best.score[n_rows - 1], side="right"))
    hits = hits_of_candidates(index, query, best, n_candidates=n_candidates, n_rows=n_rows, calibration=calibration)
    return hits if options.min_probability is None else above_probability(hits, options.min_probability)


def _search(index, lists, options, threads):
    """The function that takes a list of queries and yields the `Candidates` of each."""
    if isinstance(index, MultiIndex):
        return join_searches(index, [_search(each, lists, options, threads) for each in index.indexes])
    if lists is not None:
        return lambda queries: (by_list(index, query, lists) for query in queries)
    if options.mode == "mass":
        return lambda queries: (by_mass(index, query, options.tolerance) for query in queries)
    if options.mode == "formula":
        return lambda queries: (by_formula(index, query) for query in queries)
    if options.exact:
        return lambda queries: exhaustive(index, queries, options.top)
    if index.graph is not None:
        n_wanted = options.top + _SPARE
        graph = load_graph(index, effort=max(options.hnsw_ef, n_wanted))
        return lambda queries: by_graph(index, graph, queries, n_wanted, threads=threads)
    if index.ivf is None:
        advice = "use --exact, or build the index with --hnsw or --ivf"
        raise UsageError("has neither graph nor IVF lists", where=index.name, advice=advice)
    lists = load_ivf(index, probes=options.ivf_probes, threads=threads)
    return lambda queries: by_ivf(index, lists, queries, _ROUNDED * options.top + _SPARE)


def _nothing_found(options):
    if options.mode == "mass":
        return f"no candidate within {options.tolerance}"
    return "no candidate of the formula"


def write_hits(answered, stream, *, tally, columns=COLUMNS, output_format="tsv", part=None, display=None):
    """Write `Hits`, all with `columns`, to an open text file; -> how many have no candidate. part: see `HitWriter`."""
    display = display or SilentProgress()
    writer = HitWriter(stream, output_format=output_format, columns=columns, part=part)
    n_empty = 0
    for hits in answered:
        writer.write(hits)
        n_empty += not hits.n_rows
        tally.n_written += 1
        display.advance()
    return n_empty
