"""How well a ranking does that learned from fewer molecules, and the linear sum that it sets out from.

ranking_curve.py LISTS [--networks 3]

LISTS is the file that sb-train-ranking --lists keeps. Molecules are parted into three folds. Each fold is ranked by
networks trained on 25, 50 and 100 % of the molecules of the others. Written: recall@1, 5 and 20 in percent and the mean
reciprocal rank of the lists of each kind, which count alike.
"""

import argparse
import dataclasses

import numpy as np

from specbridge_tools.ranking.features import ListFeatures
from specbridge_tools.ranking.ranking import Scored
from specbridge_tools.ranking.training.fit import DEFAULT_LINEAR, FOLDS, expected_ranks, recall_of, trained
from specbridge_tools.ranking.training.list_file import read_lists
from specbridge_tools.ranking.training.lists import folds_of
from specbridge_tools.ranking.training.train import DEFAULT_OPTIONS

SHARES = (0.25, 0.5, 1.0)
KINDS = ("single_unknown", "single_known", "group_unknown", "group_known")


def row(name, lists, scored):
    """The row of a table in Markdown."""
    ranks, kinds = expected_ranks(lists, scored), np.array([one.kind for one in lists])
    cells = [name]
    for kind in KINDS:
        own = ranks[kinds == kind]
        recall = " / ".join(f"{100 * value:.1f}" for value in recall_of(own).values()) if len(own) else ""
        cells.append(f"{recall}, {np.mean(1 / own):.3f}" if len(own) else "")
    return f"| {' | '.join(cells)} |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists")
    parser.add_argument("--networks", type=int, default=3)
    given = parser.parse_args()
    options = dataclasses.replace(DEFAULT_OPTIONS, networks=given.networks)
    lists = [one for one in read_lists(given.lists) if one.truth >= 0]
    folds = folds_of(lists, FOLDS)
    molecules = sorted({one.molecule for one in lists})
    place = dict(zip(molecules, np.random.default_rng(1).permutation(len(molecules)) / len(molecules), strict=True))
    print(row("the linear sum", lists, [Scored(ListFeatures(one.evidence).sum, np.zeros(0), 1) for one in lists]))
    for share in SHARES:
        scored = [None] * len(lists)
        for fold in range(FOLDS):
            others = [one for one, own in zip(lists, folds, strict=True) if own != fold]
            ranking = trained([one for one in others if place[one.molecule] < share], DEFAULT_LINEAR, options)
            for number in np.flatnonzero(folds == fold).tolist():
                scored[number] = ranking.score(lists[number].evidence)
        print(row(f"{share:.0%} of the molecules", lists, scored), flush=True)


if __name__ == "__main__":
    main()
