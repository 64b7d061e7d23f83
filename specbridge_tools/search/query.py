"""Ranked candidates for each spectrum, in the order of the file."""

import dataclasses
from collections.abc import Iterator

from specbridge_tools.errors import UsageError
from specbridge_tools.progress import SilentProgress
from specbridge_tools.records import Tally
from specbridge_tools.search.answers import answer, no_answer
from specbridge_tools.search.candidates import by_formula, by_mass
from specbridge_tools.search.everywhere import by_all, by_graph
from specbridge_tools.search.graph import load_graph
from specbridge_tools.search.hits import Hits, HitWriter
from specbridge_tools.search.queries import DEFAULT_FORMULA_FIELD, QueryReader
from specbridge_tools.search.ranking import ranked
from specbridge_tools.search.tolerance import DEFAULT_TOLERANCE, Tolerance

MODES = ("mass", "formula", "open")
# The graph may lead to several rows of one molecule, which are merged: ask for some more than are wanted.
_SPARE = 10


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """What to search, and how much of it to report.

    mode           mass: molecules within `tolerance` of the neutral mass; formula: those of the spectrum's formula;
                   open: all, by the index's graph, or exactly where `exact`
    top            candidates to report for each query, best first; 0 for all
    formula_field  field of the spectrum's metadata that holds its formula
    effort         candidates that the graph search keeps (hnswlib's ef)
    """

    mode: str = "mass"
    tolerance: Tolerance = DEFAULT_TOLERANCE
    top: int = 10
    exact: bool = False
    formula_field: str = DEFAULT_FORMULA_FIELD
    effort: int = 200

    def __post_init__(self):
        if self.mode not in MODES:
            raise UsageError(f"no mode {self.mode!r}", advice=f"known: {', '.join(MODES)}")
        if self.mode == "open" and not self.exact and self.top == 0:
            raise UsageError("the graph cannot rank all molecules", advice="use --exact, or --top of at least 1")


def query(
    source,
    *,
    index,
    model=None,
    options=SearchOptions(),
    input_format="auto",
    batch_size=64,
    threads=1,
    tally=None,
) -> Iterator[Hits]:
    """Yield the `Hits` of each record of `source`, in its order; a record without candidates has its reason instead.

    source   path or `-`: spectra in any format, or spectrum embeddings
    index    an open `Index`
    model    encodes spectra, and turns scores into probabilities; not needed for spectrum embeddings
    tally    counts the records; a new one where None

    Raises `MismatchError` where index, model and embeddings do not belong together.
    """
    reader = QueryReader(
        index,
        tally=tally or Tally(noun="spectra"),
        model=model,
        formula_field=options.formula_field.lower() if options.mode == "formula" else None,
        input_format=input_format,
        batch_size=batch_size,
    )
    search = _search(index, options, threads)
    # a list that was not searched whole says nothing about the candidates that are missing from it
    calibration = model.calibration if model is not None and options.mode != "open" else None
    for queries in reader.read(source):
        found = iter(search([each for each in queries if not each.reason]))
        for each in queries:
            if each.reason:
                yield no_answer(each, each.reason)
            else:
                yield _answer(index, each, ranked(next(found)), options, calibration)


def _answer(index, query, best, options, calibration):
    if not len(best):
        return no_answer(query, _nothing_found(options))
    n_candidates = index.n if options.mode == "open" else len(best)
    n_rows = options.top or len(best)
    return answer(index, query, best, n_candidates=n_candidates, n_rows=n_rows, calibration=calibration)


def _search(index, options, threads):
    """The function that takes a list of queries and yields the `Candidates` of each."""
    if options.mode == "mass":
        return lambda queries: (by_mass(index, query, options.tolerance) for query in queries)
    if options.mode == "formula":
        return lambda queries: (by_formula(index, query) for query in queries)
    if options.exact:
        return lambda queries: by_all(index, queries, options.top)
    if index.graph is None:
        advice = "use --exact, or build the index with --graph"
        raise UsageError("has no graph", where=index.name, advice=advice)
    n_wanted = options.top + _SPARE
    graph = load_graph(index, effort=max(options.effort, n_wanted))
    return lambda queries: by_graph(index, graph, queries, n_wanted, threads=threads)


def _nothing_found(options):
    if options.mode == "mass":
        return f"no candidate within {options.tolerance}"
    return "no candidate of the formula"


def write_hits(answers, stream, *, tally, output_format="tsv", display=None):
    """Write the `Hits` of `answers` to an open text file; -> how many have no candidate."""
    display = display or SilentProgress()
    writer = HitWriter(stream, output_format=output_format)
    n_empty = 0
    for hits in answers:
        writer.write(hits)
        n_empty += not hits.n_rows
        tally.n_written += 1
        display.advance()
    return n_empty
