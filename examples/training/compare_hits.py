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


def recalls(truths, hits):
    """Recall of each truth at each cutoff, (n, cutoffs)."""
    lists = {each.truth: each for each in read_lists(read_hits(hits), truths)}
    above, tied = np.array([score_counts(lists[truth]) for truth in truths.truths]).T
    return np.stack([expected_recall(above, tied, k) for k in RECALL_CUTOFFS], axis=1)


def main(spectra, before, after):
    truths = read_truths(spectra, Tally(noun="spectra"))
    gained = recalls(truths, after) - recalls(truths, before)
    estimates, _ = bootstrapped_means(gained, [truth.inchikey14 for truth in truths.truths])
    for k, estimate in zip(RECALL_CUTOFFS, estimates, strict=True):
        value, low, high = (100 * number for number in (estimate.value, estimate.low, estimate.high))
        print(f"recall@{k:<3} {value:+.1f} ({low:+.1f} to {high:+.1f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
