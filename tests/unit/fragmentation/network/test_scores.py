import logging

import numpy as np
import pytest

from specbridge_tools.fragmentation.network import scores as module
from specbridge_tools.fragmentation.network.scores import CandidateScorer, score_candidates
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.progress import SilentProgress
from specbridge_tools.spectra.spectrum import Spectrum

SMILES = ["CC(=O)Nc1ccc(O)cc1", "COC(=O)c1ccccc1N", "no molecule", "CCO", "NCC(=O)c1ccc(O)cc1", "OCc1ccccc1", "C"]


def peaks(adduct="[M+H]+"):
    mz = np.array([65.0386, 93.0335, 110.0600, 152.0706])
    return [prepare_peaks(Spectrum("p", 152.0706, mz, np.array([10, 12, 100, 40], np.float32), adduct=adduct))]


class Notes(SilentProgress):
    def __init__(self):
        self.notes = []

    def note(self, **fields):
        self.notes.append(fields)


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_long_lists_are_scored_in_parts_that_change_nothing(ranker, monkeypatch, threads):
    tasks = [
        ("long", [(peaks(), SMILES), (peaks("[M+Na]+"), SMILES[:2])]),
        ("none", []),
        ("short", [(peaks(), SMILES[:2])]),
    ]
    monkeypatch.setattr(module, "_CANDIDATES_AT_ONCE", 3)
    notes = Notes()
    with CandidateScorer(ranker, threads=threads, display=notes) as scorer:
        found = list(scorer.in_order(iter(tasks)))
    assert [key for key, _ in found] == ["long", "none", "short"]
    for (_, parts), (_, answers) in zip(tasks, found, strict=True):
        assert len(parts) == len(answers)
        for (spectra, smiles), answer in zip(parts, answers, strict=True):
            expected = score_candidates(ranker, spectra, smiles)
            assert answer.fragment_score.tobytes() == expected.fragment_score.tobytes()
            assert answer.explained_intensity.tobytes() == expected.explained_intensity.tobytes()
    # 3 and 3 and 1 of the first list, its second, none, and the last
    assert [note["candidates"] for note in notes.notes] == ["3", "6", "7", "9", "9", "11"]


def test_what_is_remembered_is_told(ranker, caplog):
    with caplog.at_level(logging.DEBUG), CandidateScorer(ranker, threads=1) as scorer:
        list(scorer.in_order([("one", [(peaks(), SMILES)]), ("two", [(peaks(), SMILES)])]))
    n, n_bytes = len(ranker.known), ranker.known.n_bytes
    assert n >= 6
    assert n_bytes > 1000
    assert f"14 candidates scored; {n} of them remembered, {n_bytes / 1e6:.0f} MB in 1 processes" in caplog.text


class PoolOfOne:
    """In place of a pool: does the same in this process, and notes it."""

    def __init__(self, n_workers, function, *, patience):
        self.function, self.n_started, self.n_answers = function, 0, 0

    def start(self, request):
        self.n_started += 1

    def map_in_order(self, requests, *, ahead):
        for key, request in requests:
            self.n_answers += 1
            yield key, self.function(request)

    def close(self):
        pass


@pytest.mark.parametrize(("few", "most", "expected"), [(False, 100, (1, 4)), (True, 100, (0, 0)), (True, 5, (0, 3))])
def test_workers_are_started_for_few_queries_only_where_lists_are_long(ranker, monkeypatch, few, most, expected):
    """The list makes requests of 3, 3 and 1 candidates, and there is one more of 2."""
    monkeypatch.setattr(module, "_CANDIDATES_AT_ONCE", 3)
    monkeypatch.setattr(module, "_SCORED_HERE", most)
    monkeypatch.setattr(module, "WorkerPool", PoolOfOne)
    tasks = [("long", [(peaks(), SMILES)]), ("short", [(peaks(), SMILES[:2])])]
    with CandidateScorer(ranker, threads=2, few=few) as scorer:
        found = list(scorer.in_order(tasks))
    assert (scorer._pool.n_started, scorer._pool.n_answers) == expected
    assert [(key, len(answer.fragment_score)) for key, (answer,) in found] == [("long", 7), ("short", 2)]
    whole = score_candidates(ranker, peaks(), SMILES)
    assert found[0][1][0].fragment_score.tobytes() == whole.fragment_score.tobytes()


def test_queries_that_share_their_candidates_are_one_request(ranker, monkeypatch):
    """One process then cuts what they share; but not too many at once, and no long list with others."""
    monkeypatch.setattr(module, "_CANDIDATES_AT_ONCE", 4)
    monkeypatch.setattr(module, "_TWINS_AT_ONCE", 3)
    monkeypatch.setattr(module, "WorkerPool", PoolOfOne)
    lists = [SMILES[:3], SMILES[1:4], SMILES[:2], SMILES[:3], [], SMILES[3:], SMILES[3:6], SMILES[4:], SMILES]
    tasks = [(number, [(peaks(), smiles)] if smiles else []) for number, smiles in enumerate(lists)]
    with CandidateScorer(ranker, threads=2) as scorer:
        found = list(scorer.in_order(tasks))
    # 0 to 2, 3, 4, 5 to 7; 8 in two pieces
    assert scorer._pool.n_answers == 6
    assert [key for key, _ in found] == list(range(9))
    for smiles, (_, answers) in zip(lists, found, strict=True):
        expected = [score_candidates(ranker, peaks(), smiles).fragment_score.tobytes()] if smiles else []
        assert [answer.fragment_score.tobytes() for answer in answers] == expected
