"""Ranked candidates for each spectrum, in the order of the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import UsageError
from specbridge_tools.hits.hits import Hits, above_probability
from specbridge_tools.records import Tally
from specbridge_tools.search.candidates.isotopes import FITS, isotope_misfits
from specbridge_tools.search.candidates.isotopes import MODES as ISOTOPE_MODES
from specbridge_tools.search.candidates.open_search import by_graph, by_ivf, exhaustive
from specbridge_tools.search.candidates.ranking import ranked
from specbridge_tools.search.candidates.retrieve import Candidates, by_formula, by_list, by_mass, list_name
from specbridge_tools.search.candidates.tolerance import DEFAULT_TOLERANCE, Tolerance
from specbridge_tools.search.index.hnsw import load_graph
from specbridge_tools.search.index.ivf import load_ivf
from specbridge_tools.search.multi_index import MultiIndex, join_searches
from specbridge_tools.search.queries.reader import DEFAULT_FORMULA_FIELD, QueryReader
from specbridge_tools.search.queries.source import QuerySource
from specbridge_tools.search.results import hits_of_candidates, hits_without_candidates
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.fields import canonical_key
from specbridge_tools.spectra.reading import Reading

if TYPE_CHECKING:
    from specbridge_tools.embeddings.space import CalibratedModel
    from specbridge_tools.search.candidates.lists import CandidateLists
    from specbridge_tools.search.candidates.query import Query
    from specbridge_tools.search.index.reader import Index

MODES = ("mass", "formula", "open")
NO_PATTERN = "no candidate whose isotope pattern fits"
# Several rows may be of one molecule, and are merged: ask for some more than are wanted.
_SPARE = 10


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """What to search, and how much of it to report.

    Attributes:
        mode: mass: molecules within `tolerance` of the neutral mass; formula: those of the spectrum's formula; open:
            all, by the index's graph or inverted lists, or exactly where `exact`.
        tolerance: Of the neutral mass.
        top: Candidates to report for each query, best first; 0 for all.
        exact: In mode open, compare with all molecules.
        formula_field: Field of the spectrum's metadata that holds its formula.
        hnsw_ef: Candidates that the graph search keeps (ef of hnswlib).
        ivf_probes: Inverted lists that are searched.
        min_probability: Leave out candidates whose probability is below, in [0, 1]; None for none.
        coverage: In place of `top` report as many candidates as hold the truth in this share of cases, if it is listed;
            None for none.
        group_by: Field of the spectra's metadata whose value names a group to be answered together, or None.
        with_ties: Report those that tie with the last of `top` as well.
        isotopes: mark: say how badly the isotope pattern of each candidate fits the MS1 peaks of the precursor; drop:
            leave out those whose does not; None for neither.
    """

    mode: str = "mass"
    tolerance: Tolerance = DEFAULT_TOLERANCE
    top: int = 10
    exact: bool = False
    formula_field: str = DEFAULT_FORMULA_FIELD
    hnsw_ef: int = 200
    ivf_probes: int = 32
    min_probability: float | None = None
    coverage: float | None = None
    group_by: str | None = None
    with_ties: bool = False
    isotopes: str | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"no mode {self.mode!r}", advice=f"known: {', '.join(MODES)}")
        if self.mode == "open" and not self.exact and self.top == 0:
            raise UsageError(
                "graph and IVF lists cannot rank all molecules", advice="use --exact, or --top of at least 1"
            )
        if self.isotopes not in (None, *ISOTOPE_MODES):
            raise UsageError(f"no use of isotopes {self.isotopes!r}", advice=f"known: {', '.join(ISOTOPE_MODES)}")
        if self.mode == "open" and self.min_probability is not None:
            advice = "search by mass or formula, or leave --min-probability out"
            raise UsageError("an open search gives no probabilities", advice=advice)

    def reading(self, reading: Reading) -> Reading:
        """How spectra are read for this search: with their isotope peaks, where these are looked at."""
        return dataclasses.replace(reading, isotopes=self.isotopes is not None)

    @property
    def group_field(self) -> str | None:
        """The field of `group_by` as metadata name it, or None."""
        return None if self.group_by is None else canonical_key(self.group_by)


DEFAULT_OPTIONS = SearchOptions()


def search_queries(
    source: QuerySource,
    *,
    index: Index | MultiIndex,
    model: CalibratedModel | None = None,
    lists: CandidateLists | None = None,
    options: SearchOptions = DEFAULT_OPTIONS,
    record_range: RecordRange | None = None,
    tally: Tally | None = None,
    keep_spectra: bool = False,
    batch_size: int = 64,
    threads: int = 1,
) -> Iterator[Hits]:
    """Yield the `Hits` of each record or group of `source`, in its order; without candidates they hold the reason.

    Args:
        source: Spectra or spectrum embeddings; to be reread where `options` group them.
        index: What is searched.
        model: Encodes spectra, and turns scores into probabilities; not needed for spectrum embeddings.
        lists: Candidate lists of the index to rank, whatever `options.mode`; None to search the index.
        options: What is searched and reported.
        record_range: Which of the records to answer, None for all.
        tally: Counts the records; a new one where None.
        keep_spectra: Whether the hits hold their spectra.
        batch_size: Spectra encoded at once.
        threads: Of an open search.

    Raises:
        MismatchError: Where index, model and embeddings do not belong together.
        UsageError: Where options and index, or options and model, do not go together.
    """
    calibration = _calibration(model, options)
    reader = QueryReader(
        index,
        tally=tally or Tally(noun="spectra"),
        model=model,
        formula_field=options.formula_field.lower() if options.mode == "formula" else None,
        group_field=options.group_field,
        tolerance=options.tolerance,
        batch_size=batch_size,
        keep_spectra=keep_spectra,
        record_range=record_range,
    )
    search = _search(index, lists, options, threads)
    for queries in reader.read(source):
        candidates = iter(search([query for query in queries if not query.reason]))
        for query in queries:
            if query.reason:
                yield hits_without_candidates(query, query.reason)
            else:
                yield _hits(index, query, ranked(next(candidates)), lists, options, calibration)


def _calibration(model: CalibratedModel | None, options: SearchOptions) -> Mapping[str, float] | None:
    """What turns scores into probabilities, or None. Raises `UsageError` where they are needed and there is none."""
    # a list that was not searched as a whole says nothing about the candidates that are missing from it
    calibration = model.calibration if model is not None and options.mode != "open" else None
    if calibration is None and options.min_probability is not None:
        message = "spectrum embeddings alone" if model is None else f"model {model.name}"
        advice = "give a calibrated --model, or leave --min-probability out"
        raise UsageError(f"{message} cannot give probabilities", advice=advice)
    return calibration


def _hits(
    index: Index | MultiIndex,
    query: Query,
    candidates: Candidates,
    lists: CandidateLists | None,
    options: SearchOptions,
    calibration: Mapping[str, float] | None,
) -> Hits:
    if not len(candidates):
        reason = _nothing_found(options) if lists is None else lists.reason(list_name(query, lists))
        return hits_without_candidates(query, reason)
    misfit = None
    if options.isotopes is not None:
        misfit = _isotope_misfits(index, query, candidates)
        if options.isotopes == "drop":
            keep = ~(misfit > FITS)
            candidates, misfit = candidates.take(keep), misfit[keep]
            if not len(candidates):
                return hits_without_candidates(query, NO_PATTERN)
    n_candidates = index.n if options.mode == "open" else len(candidates)
    n_rows = min(options.top or len(candidates), len(candidates))
    if options.with_ties:
        n_rows = int(np.searchsorted(-candidates.score, -candidates.score[n_rows - 1], side="right"))
    hits = hits_of_candidates(
        index, query, candidates, n_candidates=n_candidates, n_rows=n_rows, calibration=calibration, misfit=misfit
    )
    return hits if options.min_probability is None else above_probability(hits, options.min_probability)


def _isotope_misfits(index: Index | MultiIndex, query: Query, candidates: Candidates) -> NDArray[np.float64]:
    order = np.argsort(candidates.row, kind="stable")
    misfits = np.empty(len(candidates))
    adducts = [*(adduct.name for adduct in query.adducts), ""]
    names = [adducts[number] for number in candidates.adduct[order].tolist()]
    formulas = index.texts["formula"].take(candidates.row[order])
    misfits[order] = isotope_misfits(query.isotopes, query.precursor_mz, formulas, names)
    return misfits


def _search(
    index: Index | MultiIndex, lists: CandidateLists | None, options: SearchOptions, threads: int
) -> Callable[[Sequence[Query]], Iterable[Candidates]]:
    """The function that takes a list of queries and yields the candidates of each."""
    if isinstance(index, MultiIndex):
        return join_searches(index, [_search(member, lists, options, threads) for member in index.indexes])
    if lists is not None:
        return lambda queries: (by_list(index, query, lists) for query in queries)
    if options.mode == "mass":
        return lambda queries: (by_mass(index, query, options.tolerance) for query in queries)
    if options.mode == "formula":
        return lambda queries: (by_formula(index, query) for query in queries)
    if options.exact:
        return lambda queries: exhaustive(index, queries, options.top)
    n_wanted = options.top + _SPARE
    if index.graph is not None:
        graph = load_graph(index, ef_search=max(options.hnsw_ef, n_wanted))
        return lambda queries: by_graph(index, graph, queries, n_wanted, threads=threads)
    if index.ivf is None:
        advice = "use --exact, or build the index with --hnsw or --ivf"
        raise UsageError("has neither graph nor IVF lists", where=index.name, advice=advice)
    inverted = load_ivf(index, nprobe=options.ivf_probes)
    return lambda queries: by_ivf(index, inverted, queries, n_wanted)


def _nothing_found(options: SearchOptions) -> str:
    if options.mode == "mass":
        return f"no candidate within {options.tolerance}"
    return "no candidate of the formula"
