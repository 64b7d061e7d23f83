"""Scores for the candidates of queries, in this process or in several."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import logging
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.errors import DataError
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.peaks.prepare import Peaks, prepare_peaks
from specbridge_tools.progress import SilentProgress
from specbridge_tools.spectra.spectrum import Spectrum
from specbridge_tools.threads import one_blas_thread
from specbridge_tools.worker_pool import WorkerPool

if TYPE_CHECKING:
    from specbridge_tools.fragmentation.network.numpy_network import SpectrumEvidence

_LOG = logging.getLogger(__name__)
_AHEAD = 4  # requests that wait for each process
_CANDIDATES_AT_ONCE = 512  # held together with what the networks make of them, some 100 KB each
_TWINS_AT_ONCE = 8  # queries with the same candidates, which one process then cuts once
_PATIENCE = 0.5  # s; a worker takes one to two to import and to load what is compiled
_SCORED_HERE = 2000  # candidates of few queries: a worker takes longer to start than this process to score them

Key = TypeVar("Key")
# of one query: the peaks of all its spectra and the SMILES of its candidates, for each adduct
Parts = Sequence[tuple[Sequence[Peaks], Sequence[str]]]
# what a process does first, while there are no queries yet: it imports and loads what is compiled
_FIRST_PARTS: Parts = [
    ([prepare_peaks(Spectrum("", 47.05, np.array([29.04]), np.ones(1, np.float32), adduct="[M+H]+"))], ["CCO"])
]


@dataclasses.dataclass(frozen=True, eq=False)
class CandidateScores:
    """One value for each candidate, in the order given; of several spectra the mean.

    Attributes:
        fragment_score: (n,) higher is better; NaN where a candidate could not be cut.
        explained_intensity: (n,) in [0, 1]: share of the intensity of the peaks below the precursor that fragments
            explain; NaN where a candidate could not be cut.
    """

    fragment_score: NDArray[np.float64]
    explained_intensity: NDArray[np.float64]


class CandidateScorer:
    """Scores the candidates of queries: here, or in worker processes, the first of which starts at once.

    Long lists are scored in parts, which the processes share; each remembers what it made of candidates.

    Attributes:
        ranker: Scores.
        n_scored: How many candidates have been.
    """

    def __init__(
        self, ranker: Ranker, *, threads: int, few: bool = False, display: SilentProgress | None = None
    ) -> None:
        """Make a scorer.

        Args:
            ranker: Scores.
            threads: Worker processes; none of them where it is 1.
            few: Whether there are few queries: workers are then started only if their lists turn out to be long.
            display: Is told of what was scored.
        """
        self.ranker = ranker
        self.n_scored = 0
        self._display = display or SilentProgress()
        self._remembered: dict[int, tuple[int, int]] = {}  # by process: candidates, bytes
        self._score = functools.partial(_score_parts, ranker)
        self._pool = None if threads == 1 else WorkerPool(threads, self._score, patience=_PATIENCE)
        self._few = few

    def __enter__(self) -> CandidateScorer:
        if self._pool is not None and not self._few:
            self._pool.start(_FIRST_PARTS)
        return self

    def prepare(self) -> None:
        """Load what scores here, while this process waits for the first query; where workers do it, do nothing."""
        if self._pool is None or self._few:
            self._score(_FIRST_PARTS)

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.close()
        megabytes = [n_bytes / 1e6 for _, n_bytes in self._remembered.values()]
        n = sum(n for n, _ in self._remembered.values())
        message = "%d candidates scored; %d of them remembered, %.0f MB in %d processes"
        _LOG.debug(message, self.n_scored, n, sum(megabytes), len(megabytes))

    def in_order(self, tasks: Iterable[tuple[Key, Parts]]) -> Iterator[tuple[Key, list[CandidateScores]]]:
        """Score the candidates of many queries, lazily.

        Args:
            tasks: A key, which is handed back, and the parts of each query.

        Yields:
            The key and the scores of each part, in the order of the tasks.

        Raises:
            SpecbridgeError: Where a worker process dies.
        """
        together = 1 if self._pool is None or self._few else _TWINS_AT_ONCE
        requests = itertools.chain.from_iterable(map(_requests, _twins(tasks, together)))
        found: list[CandidateScores] = []
        for place, answer in self._answers(requests):
            self._remembered[answer.process] = answer.remembered
            found += answer.scores
            self.n_scored += sum(len(scores.fragment_score) for scores in answer.scores)
            self._display.note(candidates=f"{self.n_scored:,}")
            if place.is_last:
                for key, n_pieces in place.queries:
                    own, found = found[: sum(n_pieces)], found[sum(n_pieces) :]
                    yield key, _joined(own, n_pieces)

    def _answers(self, requests: Iterator[tuple[_Place[Key], Parts]]) -> Iterator[tuple[_Place[Key], _Answer]]:
        """The answers to the requests, in their order."""
        here = math.inf if self._pool is None else _SCORED_HERE if self._few else 0
        for place, request in requests:
            here -= sum(len(smiles) for _, smiles in request)
            if self._pool is not None and here < 0:
                rest = itertools.chain([(place, request)], requests)
                yield from self._pool.map_in_order(rest, ahead=_AHEAD)
                return
            yield place, self._score(request)


@dataclasses.dataclass(frozen=True)
class _Place(Generic[Key]):
    """Where a request belongs: its queries, how many pieces each part of them has, whether it is their last one."""

    queries: Sequence[tuple[Key, Sequence[int]]]
    is_last: bool


def _twins(tasks: Iterable[tuple[Key, Parts]], most: int) -> Iterator[list[tuple[Key, Parts]]]:
    """The tasks; those that follow one another and share most candidates, as those of a feature do, together."""
    together: list[tuple[Key, Parts]] = []
    first: set[str] = set()
    for key, parts in tasks:
        smiles = {text for _, texts in parts for text in texts}
        if together and (len(together) == most or 2 * len(smiles & first) <= max(len(smiles), len(first))):
            yield together
            together = []
        first = first if together else smiles
        together.append((key, parts))
    if together:
        yield together


def _requests(tasks: Sequence[tuple[Key, Parts]]) -> Iterator[tuple[_Place[Key], Parts]]:
    """Queries as one request; those with many candidates each by itself, in pieces."""
    requested: list[tuple[Key, Sequence[int]]] = []
    short: list[tuple[Sequence[Peaks], Sequence[str]]] = []
    for key, parts in tasks:
        pieces = [
            (spectra, smiles[start : start + _CANDIDATES_AT_ONCE])
            for spectra, smiles in parts
            for start in range(0, len(smiles), _CANDIDATES_AT_ONCE)
        ]
        n_pieces = [-(-len(smiles) // _CANDIDATES_AT_ONCE) for _, smiles in parts]
        if sum(len(smiles) for _, smiles in parts) <= _CANDIDATES_AT_ONCE:
            requested.append((key, n_pieces))
            short += pieces
            continue
        if requested:
            yield _Place(requested, True), short
            requested, short = [], []
        for number, piece in enumerate(pieces, start=1):
            yield _Place([(key, n_pieces)], number == len(pieces)), [piece]
    if requested:
        yield _Place(requested, True), short


def _joined(pieces: Sequence[CandidateScores], n_pieces: Sequence[int]) -> list[CandidateScores]:
    """The scores of each part from those of its pieces."""
    stops = np.cumsum(n_pieces).tolist()
    return [
        CandidateScores(
            np.concatenate([piece.fragment_score for piece in pieces[stop - n : stop]]),
            np.concatenate([piece.explained_intensity for piece in pieces[stop - n : stop]]),
        )
        for stop, n in zip(stops, n_pieces, strict=True)
    ]


class _Answer(NamedTuple):
    """The scores of each piece of a request, and what the process with this number remembers: candidates, bytes."""

    scores: list[CandidateScores]
    process: int
    remembered: tuple[int, int]


def _score_parts(ranker: Ranker, parts: Parts) -> _Answer:
    scores = [score_candidates(ranker, spectra, smiles) for spectra, smiles in parts]
    return _Answer(scores, os.getpid(), (len(ranker.known), ranker.known.n_bytes))


def score_candidates(ranker: Ranker, spectra: Sequence[Peaks], smiles: Sequence[str]) -> CandidateScores:
    """Score candidates for one or more spectra of one compound.

    A spectrum without peaks tells no candidate from another: it counts only where none has peaks, and then as 0.
    """
    with_peaks = [peaks for peaks in spectra if len(peaks.mz)]
    score = np.full(len(smiles), np.nan)
    explained = np.full(len(smiles), np.nan)
    # a product that two threads share has other last bits
    with one_blas_thread():
        for start in range(0, len(smiles), _CANDIDATES_AT_ONCE):
            part = slice(start, start + _CANDIDATES_AT_ONCE)
            _score_part(ranker, with_peaks, smiles[part], score[part], explained[part])
    return CandidateScores(score, explained)


def _score_part(
    ranker: Ranker,
    spectra: Sequence[Peaks],
    smiles: Sequence[str],
    score: NDArray[np.float64],
    explained: NDArray[np.float64],
) -> None:
    """Set the values (n,) of those candidates that can be cut."""
    candidates, rows = [], []
    for row, text in enumerate(smiles):
        with contextlib.suppress(DataError):
            candidates.append(ranker.known.get(text))
            rows.append(row)
    if not rows:
        return
    evidence = ranker.evidence(candidates, spectra)
    score[rows] = np.mean([spectrum.score for spectrum in evidence], axis=0) if evidence else 0.0
    explained[rows] = np.mean([_explained_intensity(spectrum) for spectrum in evidence], axis=0) if evidence else 0.0


def _explained_intensity(evidence: SpectrumEvidence) -> NDArray[np.float64]:
    peaks = evidence.peaks
    intensity = np.where(peaks.at_precursor, 0.0, peaks.intensity)
    explained: NDArray[np.float64] = np.where(evidence.predicted > 0, intensity, 0.0).sum(axis=1)
    return explained / max(intensity.sum(), 1e-300)
