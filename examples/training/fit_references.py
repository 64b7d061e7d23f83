"""Fit how much reference spectra weigh beside cosine and fragment score, and which probabilities the scores then mean.

fit_references.py LISTS --model M -o M2

LISTS: of spectra of molecules that M was not trained on, for single spectra and for groups, each without any reference
spectrum of its molecule and of similar ones, and where there are some with those of other contributors:
    sb-train-ranking SPECTRA --index INDEX --model M --lists LISTS -o any.safetensors
In half of the lists the truth is taken away for the probabilities, as from a library without it. They serve where not
all candidates are re-ranked; where all are, the ranking that sb-train-ranking puts into M2 says what scores mean.
"""

import argparse
import collections
import json

import numpy as np
from held_back_lists import best_hits, half_without_truth, halves

from specbridge_tools.evaluation.calibration import expected_calibration_error
from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.ranker_file import add_ranker, load_ranker
from specbridge_tools.hits.expected_rank import RECALL_CUTOFFS, expected_recall, expected_reciprocal_rank, tie_counts
from specbridge_tools.hits.fit_probability import fit_probabilities
from specbridge_tools.ranking.evidence import LINEAR, REFERENCE
from specbridge_tools.ranking.training.calibrate import KNOWN
from specbridge_tools.ranking.training.list_file import read_lists
from specbridge_tools.ranking.training.lists import list_weights
from specbridge_tools.reference.evidence import SAME_MOLECULE

KINDS = tuple(kind for kind in REFERENCE if kind in LINEAR)
FACTORS = (0.35, 0.5, 0.7, 1.0, 1.4)


class ScoredList:
    """One list: score without reference spectra (n,), their evidence (n, kinds), truth, molecule."""

    def __init__(self, labelled, fusion):
        values = labelled.evidence.values
        self.labelled, self.truth, self.molecule = labelled, labelled.truth, labelled.molecule
        self.is_known = labelled.is_known
        self.own = fusion.fuse(np.asarray(values["cosine"]), np.asarray(values["fragment_score"]))
        self.evidence = np.stack([values[kind] for kind in KINDS], axis=1)
        self._fusion = fusion

    def __len__(self):
        return len(self.own)

    def without_truth(self):
        return ScoredList(self.labelled.without_truth(), self._fusion)

    def scores(self, weights):
        """(scores, row of the truth or -1, number of candidates)."""
        return self.own + self.evidence @ weights, self.truth, len(self)


def recalls(lists, weights):
    """(recall at 1, 5 and 20, MRR) of the lists that hold their truth, weighed by `list_weights`."""
    listed = [one for one in lists if one.truth >= 0]
    above, tied = np.transpose([tie_counts(one.scores(weights)[0].round(6), one.truth) for one in listed])
    share = list_weights([one.labelled for one in listed])
    values = [*(expected_recall(above, tied, k) for k in RECALL_CUTOFFS), expected_reciprocal_rank(above, tied)]
    return [float(np.average(value, weights=share)) for value in values]


def by_kind(lists):
    """(whether the reference has the truth, the lists of that kind), where one of them holds its truth."""
    for known in (True, False):
        part = [one for one in lists if one.is_known == known]
        if any(one.truth >= 0 for one in part):
            yield known, part


def goal(lists, weights):
    """Recall at 1, of lists without reference spectra of the truth and, `KNOWN` times, of those with some."""
    found = [(recalls(part, weights)[0], KNOWN if known else 1.0) for known, part in by_kind(lists)]
    return np.average([recall for recall, _ in found], weights=[weight for _, weight in found])


def fit_weights(lists):
    """Weights (kinds,) with the greatest `goal`: those of `LINEAR`, but for two factors.

    One is of all kinds of spectra of the candidate itself, the other of all kinds of analogs: most kinds are seen in
    few lists, and fitted one by one they follow chance.
    """
    start = np.array([LINEAR[kind] for kind in KINDS])
    is_own = np.array([kind in SAME_MOLECULE for kind in KINDS])
    tried = [np.where(is_own, own, analog) * start for own in FACTORS for analog in FACTORS]
    return max(tried, key=lambda weights: goal(lists, weights)).round(2)


def fit_calibration(lists, weights):
    """Parameters of the probability, half of the truths taken away."""
    lists = half_without_truth(lists)
    scores = [one.scores(weights) for one in lists]
    return fit_probabilities(scores, weights=list_weights([one.labelled for one in lists]))


def report(name, lists):
    """Print how weights and probabilities do that were fitted to the other half of the molecules."""
    looks = collections.defaultdict(list)
    for seen, unseen in halves(lists):
        weights = fit_weights(seen)
        calibration = fit_calibration(seen, weights)
        for known, part in by_kind(unseen):
            stated = best_hits(part, weights, calibration)
            looks[known].append((recalls(part, 0 * weights), recalls(part, weights), *stated))
    for known, look in looks.items():
        *both, stated, right = zip(*look, strict=True)
        stated, right = np.concatenate(stated), np.concatenate(right)
        without, fitted = (" / ".join(f"{100 * value:.1f}" for value in np.mean(each, axis=0)[:3]) for each in both)
        print(f"{name}, {'known' if known else 'unknown'}: R@1 / 5 / 20 without {without}, with {fitted};", end=" ")
        error = expected_calibration_error(stated, right)
        print(f"stated {stated.mean():.3f}, right {right.mean():.3f}, ECE {error:.3f} of {len(stated)} lists")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists")
    parser.add_argument("--model", required=True)
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    ranker, labelled = load_ranker(options.model), read_lists(options.lists)
    found = {}
    for name, n_spectra in (("single", 1), ("group", 2)):
        fusion = ranker.fusion(n_spectra)
        lists = [ScoredList(one, fusion) for one in labelled if one.is_group == (n_spectra > 1)]
        report(name, lists)
        weights = fit_weights(lists)
        calibration = fit_calibration(lists, weights)
        found[name] = {"weights": dict(zip(KINDS, weights.tolist(), strict=True)), "calibration": calibration}
    print(json.dumps(found, indent=1))
    config = {**ranker.config, "reference": found["single"]}
    config["group"] = {**config["group"], "reference": found["group"]}
    add_ranker(Ranker(ranker.networks, config), options.model, options.output, force=True)


if __name__ == "__main__":
    main()
