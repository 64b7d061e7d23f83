"""Whether the best candidates are right, where the true molecules are known."""

from __future__ import annotations

from collections.abc import Iterable

from specbridge_tools.evaluation.baselines import score_counts
from specbridge_tools.evaluation.candidates import CandidateList, read_lists
from specbridge_tools.evaluation.evaluate import evaluate
from specbridge_tools.evaluation.truth import TruthTable
from specbridge_tools.hits.hits import Hits
from specbridge_tools.report.table import accuracy_lines, rank_of_truth, verdict


class Verdicts:
    """The verdict on each query of some hits, which are read to their end, and the accuracy over all of them.

    Attributes:
        accuracy: Lines of text.
    """

    def __init__(self, truths: TruthTable, hits: Iterable[Hits]) -> None:
        self._truths = truths
        lists = list(read_lists(hits, truths))
        self.accuracy = list(accuracy_lines(evaluate(lists)))
        self._texts = {candidates.truth: _text(candidates) for candidates in lists}

    def find(self, hits: Hits) -> tuple[str, str]:
        """(InChIKey block of the true molecule, verdict in words) of a query; '' twice where no truth is known."""
        truth = self._truths.find(hits.query_id, hits.record)
        return ("", "") if truth not in self._texts else (truth.inchikey14, self._texts[truth])


def _text(candidates: CandidateList) -> str:
    counts = score_counts(candidates)
    word, _ = verdict(counts, candidates.size)
    return f"{word}, rank of the true molecule {rank_of_truth(counts, candidates.size)}" if counts.tied else word
