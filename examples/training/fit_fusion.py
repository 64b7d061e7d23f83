"""Fit how much cosine and fragment score weigh, and which probabilities the scores mean.

fit_fusion.py HITS GROUPS SPECTRA --model M -o M2    fit, and report how it does on molecules that it was not fitted to
fit_fusion.py HITS GROUPS SPECTRA --model M          report how the values in M do on other molecules

SPECTRA: spectra of molecules that M was not trained on, with the field COMPOUND_ION of few_spectra.py. HITS and GROUPS:
    sb-query SPECTRA --index INDEX --model M --rerank all --top 0 -o HITS
    sb-query SPECTRA --index INDEX --model M --rerank all --top 0 --group-by COMPOUND_ION -o GROUPS
The index holds the truths and their decoys. In half of the lists the truth is taken away, as from a library without it.
"""

import argparse
import json

import numpy as np
from held_back_lists import FIRST, best_hits, half_without_truth, halves, molecule_weights, read_lists

from specbridge_tools.evaluation.calibration import (
    expected_calibration_error,
    precision_and_coverage,
    reliability_table,
)
from specbridge_tools.fragmentation.network.ranker import Ranker, ScoreFusion
from specbridge_tools.fragmentation.network.ranker_file import add_ranker, load_ranker
from specbridge_tools.fragmentation.training.fusion import fit_fusion
from specbridge_tools.hits.fit_probability import fit_probabilities
from specbridge_tools.weights.tensor_file import read_header

PER_MOLECULE = 4  # queries of one molecule that weigh in the fusion
PRECISION_AT = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def fit_score_fusion(lists):
    """`ScoreFusion` of re-ranked lists."""
    counts, queries = {}, []
    for candidates in lists:
        scores = np.stack([candidates.cosine[:FIRST], candidates.fragment_score[:FIRST]], axis=1)
        counts[candidates.molecule] = counts.get(candidates.molecule, 0) + 1
        if 0 <= candidates.truth < FIRST and len(scores) > 1 and counts[candidates.molecule] <= PER_MOLECULE:
            lowest = np.nanmin(scores[:, 1]) if np.isfinite(scores[:, 1]).any() else 0.0
            queries.append((np.where(np.isnan(scores), lowest, scores), candidates.truth))
    fusion = ScoreFusion(*(round(weight, 4) for weight in fit_fusion(queries)))
    return ScoreFusion(fusion.cosine_weight, fusion.fragment_weight, {"first": FIRST, **fit_scores(lists, fusion)})


def fit_scores(lists, fusion=None):
    """Parameters of the probability of fused scores, or of cosines."""
    lists = half_without_truth(lists)
    scores = [candidates.scores(fusion) for candidates in lists]
    return fit_probabilities(scores, weights=molecule_weights(lists))


def report(name, lists, fusion, probability, right):
    scored = [candidates.scores(fusion) for candidates in lists]
    first = [int(np.argmax(scores)) == truth for scores, truth, _ in scored]
    n = len({candidates.molecule for candidates in lists})
    print(f"\n{name}: R@1 {np.mean(first):.3f} of {len(lists)} queries of {n} molecules, all truths in the library")
    print(f"half of the truths taken away: ECE {expected_calibration_error(probability, right):.3f}")
    print("probability  answers  mean   right")
    for row in reliability_table(probability, right):
        print(f"{row.low:.1f} to {row.high:.1f}   {row.n:7d}  {row.probability:5.3f}  {row.correct:5.3f}")
    for least in PRECISION_AT:
        precision, coverage = precision_and_coverage(probability, right, least)
        print(f"p >= {least}: {precision:.3f} right, {coverage:.3f} of the queries answered")


def report_unseen(name, lists, fit):
    """Fit to one half of the molecules, look at the other, both ways round; the two looks together."""
    looks = []
    for seen, unseen in halves(lists):
        fusion, calibration = fit(seen)
        looks.append(best_hits(unseen, fusion, calibration))
    probability, right = map(np.concatenate, zip(*looks, strict=True))
    report(f"{name}, fitted to the other half of the molecules", lists, fit(lists)[0], probability, right)


def fit_fused(lists):
    fusion = fit_score_fusion(lists)
    return fusion, fusion.calibration


def fit_cosine(lists):
    return None, fit_scores(lists)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hits")
    parser.add_argument("groups")
    parser.add_argument("spectra")
    parser.add_argument("--model", required=True)
    parser.add_argument("-o", "--output")
    options = parser.parse_args()
    ranker = load_ranker(options.model)
    single = read_lists(options.hits, options.spectra)
    grouped = read_lists(options.groups, options.spectra, group_by="COMPOUND_ION")
    if not options.output:
        calibration = read_header(options.model)["calibration"]
        report("cosine", single, None, *best_hits(single, None, calibration))
        for name, lists, n_spectra in (("fused", single, 1), ("fused, groups", grouped, 2)):
            fusion = ranker.fusion(n_spectra)
            report(name, lists, fusion, *best_hits(lists, fusion, fusion.calibration))
        return
    report_unseen("cosine", single, fit_cosine)
    report_unseen("fused", single, fit_fused)
    report_unseen("fused, groups", grouped, fit_fused)
    of_spectrum, of_group = (vars(fit_score_fusion(lists)) for lists in (single, grouped))
    calibration = fit_scores(single)
    print("\n", json.dumps({"cosine": calibration, "single": of_spectrum, "group": of_group}, indent=1))
    fitted = Ranker(ranker.networks, {**ranker.config, **of_spectrum, "group": of_group})
    add_ranker(fitted, options.model, options.output, calibration=calibration, force=True)


if __name__ == "__main__":
    main()
