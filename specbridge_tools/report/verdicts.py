"""Whether the best candidates are right, where the true molecules are known."""

from specbridge_tools.evaluation.baselines import score_counts
from specbridge_tools.evaluation.candidates import read_lists
from specbridge_tools.evaluation.evaluate import evaluate
from specbridge_tools.report.table import accuracy_lines, rank_of_truth, verdict


class Verdicts:
    """The verdict on each query of some hits, and the accuracy over all of them.

    truths    `evaluation.truth.TruthTable`
    hits      iterator of the `Hits` of all queries, which is read to its end
    accuracy  lines of text
    """

    def __init__(self, truths, hits):
        self._truths = truths
        lists = list(read_lists(hits, truths))
        self.accuracy = list(accuracy_lines(evaluate(lists)))
        self._texts = {candidates.truth: _text(candidates) for candidates in lists}

    def find(self, hits):
        """(InChIKey block of the true molecule, verdict in words) of a query; '' twice where no truth is known."""
        truth = self._truths.find(hits.query_id, hits.record)
        return ("", "") if truth is None else (truth.inchikey14, self._texts[truth])


def _text(candidates):
    above, tied = score_counts(candidates)
    word, _ = verdict(candidates, above, tied)
    return f"{word}, rank of the true molecule {rank_of_truth(above, tied, candidates.size)}" if tied else word
