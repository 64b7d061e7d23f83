"""The whole job as one call: spectra -> ranked candidates, as an iterator of `Hits`."""

from __future__ import annotations

import contextlib
import itertools
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from specbridge_tools.bridge.model_process import ModelProcess
from specbridge_tools.errors import UsageError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.scores import CandidateScorer
from specbridge_tools.fragmentation.probability import check_probabilities
from specbridge_tools.hits.hits import COLUMNS, Hits
from specbridge_tools.hits.prior import Prior
from specbridge_tools.hits.table import read_hits
from specbridge_tools.hits.with_spectra import with_groups, with_spectra
from specbridge_tools.identification.default_model import opened_model
from specbridge_tools.identification.prior import with_prior
from specbridge_tools.identification.ranked import columns_with, rank_by_all, ranking_for, with_columns_of
from specbridge_tools.identification.references import (
    DEFAULT_REFERENCES,
    Referee,
    References,
    encoder_of_model,
    open_referee,
)
from specbridge_tools.identification.rerank import rerank
from specbridge_tools.identification.reranked import First, before_ranking, how_many, ranker_for, reported
from specbridge_tools.identification.sources import open_molecules, wanted_lists
from specbridge_tools.progress import SilentProgress
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.records import Rejection, Tally
from specbridge_tools.search.queries.source import QuerySource, open_query_source
from specbridge_tools.search.search import DEFAULT_OPTIONS, SearchOptions, search_queries
from specbridge_tools.shards import RecordRange
from specbridge_tools.spectra.reading import DEFAULT_READING, Reading
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.streams import STDIO, Source, seekable_input
from specbridge_tools.threads import available_threads

if TYPE_CHECKING:
    import pandas

    from specbridge_tools.bridge.model import AlignedModel
    from specbridge_tools.search.index.reader import Index
    from specbridge_tools.search.multi_index import MultiIndex

    Spectra: TypeAlias = Source | Iterable[Spectrum | Rejection]
    Path: TypeAlias = str | os.PathLike[str]


class Identification(Iterator[Hits]):
    """The hits of all queries, one after the other as they are found; files are closed behind the last one.

    Attributes:
        columns: Of the table that the hits make.
        tally: What became of the spectra.
        listed: What became of the structures of candidate lists; None without lists.
    """

    def __init__(
        self,
        resources: contextlib.ExitStack,
        hits: Iterator[Hits],
        *,
        columns: tuple[str, ...],
        tally: Tally,
        listed: Tally | None = None,
    ) -> None:
        """Use `identify` or `rerank_hits`."""
        self.columns = columns
        self.tally = tally
        self.listed = listed
        self._hits = hits
        # also where the last of the hits is never asked for
        self._resources = weakref.finalize(self, resources.close)

    def __next__(self) -> Hits:
        try:
            return next(self._hits)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Identification:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and end the worker processes; no more hits come."""
        self._resources()

    def to_pandas(self) -> pandas.DataFrame:
        """The candidates of all queries that are still to come as one pandas DataFrame, which must be installed.

        Queries without a candidate have no row.
        """
        import pandas

        tables = [hits.to_pandas() for hits in self]
        return pandas.concat(tables, ignore_index=True) if tables else pandas.DataFrame(columns=list(self.columns))


def identify(
    spectra: Spectra,
    *,
    index: Path | Sequence[Path] | Index | MultiIndex | None = None,
    candidates: Path | None = None,
    model: Path | AlignedModel | None = None,
    encoder: str | None = None,
    options: SearchOptions = DEFAULT_OPTIONS,
    references: References = DEFAULT_REFERENCES,
    rerank_first: First = None,
    prior: Prior | None = None,
    reading: Reading = DEFAULT_READING,
    record_range: RecordRange | None = None,
    tally: Tally | None = None,
    batch_size: int = 64,
    device: str = "auto",
    threads: int | None = None,
    display: SilentProgress | None = None,
) -> Identification:
    """Name the molecules behind spectra: search, re-rank, and state probabilities.

    Args:
        spectra: A file of spectra or spectrum embeddings (path, `-`, open binary file), or spectra in memory.
        index: What is searched: an index file, several or a folder of them, or an open index. None without
            `candidates`: the library of known molecules that ships, whose index the first use builds (`sb-library`).
        candidates: A table of candidate lists; each spectrum is compared with the molecules of its list alone. Without
            `index` they are encoded first.
        model: A model file or a loaded model; None for the model that ships.
        encoder: Molecular encoder of what is encoded now, `candidates` or the library, where the model's name for it
            does not say where its files are.
        options: What is searched and reported.
        references: Measured spectra of known molecules, as evidence where candidates are re-ranked.
        rerank_first: How many of the candidates with the highest cosine are scored by what their fragments explain, 0
            for none. None: all where there are peaks and the model has a ranker. All of an open search are
            `OPEN_RERANK`.
        prior: Counts of the molecules that are a part of the score, None for none. Probabilities do not know of it.
        reading: How the spectra are read.
        record_range: Which of the records to answer, None for all.
        tally: Counts the records; a new one where None.
        batch_size: Spectra encoded at once.
        device: Of the encoders: cpu, cuda, cuda:N or auto.
        threads: None for all that the scheduler allows.
        display: Is told how many candidates were scored.

    Returns:
        An iterator of `Hits`, one for each record or group, in the order of the spectra.

    Raises:
        UsageError: Where options, model and spectra do not go together.
        MismatchError: Where index, model and embeddings do not belong together.
        DataError: Where a file cannot be read, also while iterating.
    """
    if record_range is not None and options.group_by is not None:
        raise UsageError("spectra of a group may stand in several shards", advice="leave --shard or --group-by out")
    tally, threads = tally or Tally(noun="spectra"), threads or available_threads()
    reread = candidates is not None or options.group_by is not None
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_query_source(spectra, reading=options.reading(reading), reread=reread))
        path = _model_file(stack, model)
        ranker = ranker_for(source, path, rerank_first, options)
        first = how_many(rerank_first, options)
        _check(ranker, first, references, options)
        # its first process starts while the model is loaded
        scorer = None if ranker is None else stack.enter_context(_scorer(ranker, source, threads, display))
        model_of = opened_model(model, path, source, index=index, lists=candidates, device=device, threads=threads)
        loaded, located = stack.enter_context(model_of)
        listed = None if candidates is None else tally.beside("candidate structures")
        opened, lists = stack.enter_context(
            open_molecules(
                index, candidates, wanted=wanted_lists(source, options.group_field), model=located, tally=listed,
                encoder=encoder, device=device, batch_size=batch_size, threads=threads, quiet=display is not None,
                counts=() if prior is None else (prior.count,),
            )
        )  # fmt: skip
        hits = search_queries(
            source, index=opened, model=loaded, lists=lists, tally=tally, keep_spectra=ranker is not None,
            options=before_ranking(options, first, reranked=ranker is not None, prior=prior), record_range=record_range,
            batch_size=batch_size, threads=threads,
        )  # fmt: skip
        hits, columns = with_columns_of(hits, source, options)
        if scorer is not None:
            referee = open_referee(references, encoder_sha256=encoder_of_model(located), encoder=encoder)
            if isinstance(loaded, ModelProcess):
                _prepare(scorer, referee)
            hits, columns = _ranked(hits, columns, scorer, path, referee, first, options)
        if prior is not None:
            hits, columns = with_prior(hits, columns, prior, index=opened)
        if scorer is not None or prior is not None:
            hits = (reported(query, options) for query in hits)
        return Identification(stack.pop_all(), hits, columns=columns, tally=tally, listed=listed)


def _check(ranker: Ranker | None, first: int, references: References, options: SearchOptions) -> None:
    """Raise `UsageError` where what is wanted needs re-ranked candidates, or other ones."""
    if ranker is None and references.are_given:
        raise UsageError("references count where candidates are re-ranked", advice="leave --reference out")
    if ranker is not None and options.min_probability is not None:
        check_probabilities(ranker, first)


def _prepare(scorer: CandidateScorer, referee: Referee | None) -> None:
    """Load what re-ranks, which takes no longer than another process takes to load the model."""
    scorer.prepare()
    if referee is not None:
        referee.prepare()


def _ranked(
    hits: Iterator[Hits],
    columns: tuple[str, ...],
    scorer: CandidateScorer,
    model: Path | None,
    referee: Referee | None,
    first: int,
    options: SearchOptions,
) -> tuple[Iterator[Hits], tuple[str, ...]]:
    """The hits of a search, re-ranked by all evidence, and their columns."""
    ranking = ranking_for(model, first, options, referee)
    fused = rerank(hits, scorer, first=first, referee=referee)
    columns = columns_with(columns, referee=referee, ranking=ranking)
    return rank_by_all(fused, ranking, first=first, coverage=options.coverage), columns


def rerank_hits(
    hits: Source,
    spectra: Spectra,
    *,
    ranker: Ranker,
    ranking: Ranking | None = None,
    first: int = 0,
    referee: Referee | None = None,
    group_by: str | None = None,
    reading: Reading = DEFAULT_READING,
    record_range: RecordRange | None = None,
    tally: Tally | None = None,
    threads: int | None = None,
    display: SilentProgress | None = None,
) -> Identification:
    """Re-rank a table of hits: what `identify` does behind the search.

    Args:
        hits: A table of hits (path, `-`, open binary file), in the order of the spectra.
        spectra: The spectra that were searched.
        ranker: Scores the candidates.
        ranking: Ranks lists that are complete by all evidence, where there are references; None: they stay as fused.
        first: How many of the candidates with the highest cosine are scored, 0 for all.
        referee: Knows the reference spectra (`open_referee`); None for none.
        group_by: Field of the spectra whose value is the query's id, where groups were searched.
        reading: How the spectra are read.
        record_range: Which of the queries to take, None for all.
        tally: Counts the queries; a new one where None.
        threads: None for all that the scheduler allows.
        display: Is told how many candidates were scored.

    Returns:
        An iterator of `Hits`, in the order of the table.

    Raises:
        DataError: Where the spectra of a query are not found, also while iterating.
    """
    tally = tally or Tally(noun="queries")
    queries = read_hits(hits) if record_range is None else record_range.filter(read_hits(hits))
    counted = tally.usable(queries)
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(open_query_source(spectra, reading=reading, reread=group_by is not None))
        complete = with_spectra(counted, source) if group_by is None else with_groups(counted, source, group_by)
        threads = threads or available_threads()
        scorer = stack.enter_context(_scorer(ranker, source, threads, display))
        fused = rerank(complete, scorer, first=first, referee=referee)
        ranking = None if referee is None else ranking
        reranked = rank_by_all(fused, ranking, first=first)
        # the columns are those of the table, which its first query shows
        start = list(itertools.islice(reranked, 1))
        columns = start[0].columns if start else columns_with(COLUMNS, referee=referee, ranking=ranking)
        return Identification(stack.pop_all(), itertools.chain(start, reranked), columns=columns, tally=tally)


def _scorer(ranker: Ranker, source: QuerySource, threads: int, display: SilentProgress | None) -> CandidateScorer:
    return CandidateScorer(ranker, threads=threads, few=source.is_small, display=display)


def _model_file(stack: contextlib.ExitStack, model: Path | AlignedModel | None) -> Path | None:
    """The path of the model's file, None for the one that ships; standard input is read twice."""
    if model is None or isinstance(model, (str, os.PathLike)):
        return stack.enter_context(seekable_input(model)) if model == STDIO else model
    return model.path
