"""What one table of hits of the same spectra gives over another: compare_hits.py SPECTRA BEFORE AFTER

Prints the difference of recall@1, 5 and 20, in points, with its 95 % interval, bootstrapped over molecules: that of two
recalls says little where both are of the same spectra.
"""

import sys

import numpy as np

from specbridge_tools.evaluation.baselines import score_counts
from specbridge_tools.evaluation.bootstrap import bootstrapped_means
from specbridge_tools.evaluation.candidates import read_lists
from specbridge_tools.evaluation.truth import read_truths
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall
from specbridge_tools.hits.table import read_hits
from specbridge_tools.records import Tally


def recalls(spectra, hits):
    """{query: (its molecule, recall at each cutoff)}."""
    lists = read_lists(read_hits(hits), read_truths(spectra, Tally(noun="spectra")))
    return {
        each.truth.query_id: (each.truth.inchikey14, [recall_at(score_counts(each), k) for k in RECALL_CUTOFFS])
        for each in lists
    }


def recall_at(counts, k):
    return float(expected_recall(np.array([counts.above]), np.array([counts.tied]), k)[0])


def main(spectra, *tables):
    before, after = (recalls(spectra, hits) for hits in tables)
    gained = np.array([np.subtract(after[query][1], before[query][1]) for query in before])
    estimates, _ = bootstrapped_means(gained, [molecule for molecule, _ in before.values()])
    for k, estimate in zip(RECALL_CUTOFFS, estimates, strict=True):
        value, low, high = (100 * number for number in (estimate.value, estimate.low, estimate.high))
        print(f"recall@{k:<3} {value:+.1f} ({low:+.1f} to {high:+.1f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
