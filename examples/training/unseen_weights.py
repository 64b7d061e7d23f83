"""How weights and probabilities of sb-train-ranking do on molecules that they were not fitted to.

unseen_weights.py LISTS      of sb-train-ranking --lists

They are fitted to one half of the molecules and looked at on the other, both ways round, half of the truths taken away
for the probabilities. Markdown: recall without and with reference spectra by kind of list, and the best hits by their
probability, where the cosine ranks, where fragments do as well, and where all evidence does.
"""

import argparse
import collections

import numpy as np

from specbridge_tools.constants import OPEN_RERANK
from specbridge_tools.evaluation.calibration import (
    expected_calibration_error,
    precision_and_coverage,
    reliability_table,
)
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, tie_counts
from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.ranking.training.list_file import read_lists
from specbridge_tools.ranking.training.lists import folds_of, list_weights
from specbridge_tools.ranking.training.weights import fit_cosine_calibration, fit_sum

PRECISION_AT = (0.2, 0.3, 0.4, 0.5)


def recalls(lists, scores):
    """ "R@1 / 5 / 20" in per cent of the lists that hold their truth, which weigh as in the fit."""
    chosen = [(one, score.round(6)) for one, score in zip(lists, scores, strict=True) if one.truth >= 0]
    above, tied = np.transpose([tie_counts(score, one.truth) for one, score in chosen])
    weights = list_weights([one for one, _ in chosen])
    return [np.average(expected_recall(above, tied, k), weights=weights) for k in RECALL_CUTOFFS]


def cosines(one):
    return one.evidence.values["cosine"]


def best_hits(lists, score, calibration, first=None):
    """(probability, whether it is right) of the best hit of each list, half of the truths taken away."""
    removed = np.random.default_rng(1).permutation(len(lists)) % 2 == 0
    for one, is_removed in zip(lists, removed, strict=True):
        shown = one.without_truth() if is_removed else one
        if len(shown.evidence):
            order = np.argsort(-shown.evidence.values["cosine"], kind="stable")[:first]
            scores = score(shown)[order]
            best = int(np.argmax(scores))
            stated = candidate_probabilities(scores, calibration, n_candidates=len(shown.evidence))[best]
            yield stated, float(order[best] == shown.truth)


def look(lists):
    """Recall of each kind of list, and (probability, right) of each way to rank, of lists that the fit did not see."""
    recall, stated = collections.defaultdict(list), collections.defaultdict(list)
    half = folds_of(lists, 2)
    for fold in (0, 1):
        seen, unseen = ([one for one, other in zip(lists, half, strict=True) if (other == fold) == is_unseen]
                        for is_unseen in (False, True))  # fmt: skip
        fit = fit_sum(seen)
        for known in (False, True):
            part = [one for one in unseen if one.is_known == known]
            scores = [[score(one) for one in part] for score in (fit.plain, fit.whole)]
            if part:
                recall[part[0].kind].append([recalls(part, each) for each in scores])
                stated[f"all evidence, {part[0].kind}"] += best_hits(part, fit.whole, fit.reference["calibration"])
        unknown = [one for one in unseen if not one.is_known]
        stated["fragments"] += best_hits(unknown, fit.plain, fit.fusion.calibration, OPEN_RERANK)
        if not lists[0].is_group:
            stated["cosine"] += best_hits(
                unknown, lambda one: one.evidence.values["cosine"], fit_cosine_calibration(seen)
            )
    return recall, stated


def report(name, lists):
    recall, stated = look(lists)
    print(f"\n| {name} | without reference spectra | with them |\n| --- | --- | --- |")
    for kind, halves in recall.items():
        shown = (" / ".join(f"{100 * value:.1f}" for value in values) for values in np.mean(halves, axis=0))
        n = sum(one.kind == kind and one.truth >= 0 for one in lists)
        print(f"| {kind}, {n} lists | {' | '.join(shown)} |")
    for ranked_by, hits in stated.items():
        probability, right = np.transpose(hits)
        error = expected_calibration_error(probability, right)
        print(f"\n| {name} by {ranked_by}, error {error:.3f} | answers | mean probability | right |")
        print("| --- | --- | --- | --- |")
        for row in reliability_table(probability, right):
            print(f"| {row.low:.1f} to {row.high:.1f} | {row.n} | {row.probability:.3f} | {row.correct:.3f} |")
        for least in PRECISION_AT:
            precision, coverage = precision_and_coverage(probability, right, least)
            print(f"| at least {least} | {coverage:.1%} of the queries | | {precision:.1%} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists")
    lists = read_lists(parser.parse_args().lists)
    for name, is_group in (("spectra", False), ("groups", True)):
        chosen = [one for one in lists if one.is_group == is_group]
        if chosen:
            report(name, chosen)


if __name__ == "__main__":
    main()
