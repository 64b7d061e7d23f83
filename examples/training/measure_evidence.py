"""What each kind of evidence gives to the ranking of a model, and what its probabilities and answer sets are worth.

measure_evidence.py [--model MODEL] --set NAME SPECTRA INDEX FIELD [--set ...]

Spectra that name their structure are answered as sb-query answers them: in INDEX, one by one or, where FIELD names a
field, all of one value together; - for INDEX is the library that ships, - for FIELD none. Nothing is fitted. Printed in
Markdown, with a column for each set:

recall@1 with its 95 % interval, bootstrapped over molecules, @5 and @20, of all evidence and without some of it;
best hits by their probability, where each query counts twice, with its truth in the list and without it;
and how often answer sets of --coverage hold the truth, where it is listed.
"""

import argparse

import numpy as np

from specbridge_tools.bridge.checkpoint import load_model
from specbridge_tools.evaluation.bootstrap import bootstrapped_means
from specbridge_tools.evaluation.calibration import (
    expected_calibration_error,
    precision_and_coverage,
    reliability_table,
)
from specbridge_tools.fragmentation.network.ranker_file import load_ranker
from specbridge_tools.hits.expected_rank import NOT_LISTED, RECALL_CUTOFFS, expected_recall, tie_counts
from specbridge_tools.hits.probability import candidate_probabilities
from specbridge_tools.identification.identify import identify
from specbridge_tools.identification.ranked import evidence_of
from specbridge_tools.molecules.identity import structure_key
from specbridge_tools.ranking.evidence import OWN, REFERENCE, Evidence, QueryConditions
from specbridge_tools.ranking.ranking import Ranking
from specbridge_tools.ranking.ranking_file import find_ranking
from specbridge_tools.ranking.training.lists import LabelledList
from specbridge_tools.reference.evidence import ANALOG, SAME_MOLECULE
from specbridge_tools.search.search import SearchOptions

WITHOUT = {
    "cosine alone": ("fragment_score", *SAME_MOLECULE, *ANALOG),
    "fragment score alone": ("cosine", *SAME_MOLECULE, *ANALOG),
    "both: no reference spectra": (*SAME_MOLECULE, *ANALOG),
    "both, and analogs": SAME_MOLECULE,
    "both, and spectra of the candidate itself": ANALOG,
    "all but the cosine": ("cosine",),
    "all but the fragment score": ("fragment_score",),
}
LEAST = (0.3, 0.5, 0.7, 0.9)
COVERAGES = (0.5, 0.8, 0.9, 0.95)
DEFAULT = "by all evidence"
NO_CANDIDATE = Evidence({kind: np.zeros(0) for kind in (*OWN, *REFERENCE)}, [], QueryConditions(1, 0))


def answered(spectra, index, field, model):
    """The list of each query whose spectra name a structure."""
    options = SearchOptions(top=0, group_by=field)
    with identify(spectra, index=index, model=model, options=options) as identified:
        for hits in identified:
            molecule = structure_key(hits.spectra[0]) if hits.spectra else None
            keys = hits.column("inchikey14")
            if molecule is not None:
                truth = keys.index(molecule) if molecule in keys else -1
                yield LabelledList(evidence_of(hits) if keys else NO_CANDIDATE, truth, molecule)


def without(ranking, kinds):
    """The ranking by the sum of the other kinds of evidence."""
    config = {}
    for name in ("single", "group"):
        weights = ranking.config[name]["linear"]
        config[name] = {"linear": {kind: 0.0 if kind in kinds else weight for kind, weight in weights.items()}}
    return Ranking([], config)


def place(one, scores):
    """Where the truth stands."""
    return NOT_LISTED if one.truth < 0 else tie_counts(scores, one.truth)


def recall_cell(lists, ranking):
    """Recall in per cent of the queries, those without a candidate included."""
    above, tied = np.transpose([place(one, ranking.score(one.evidence).score) for one in lists])
    values = np.stack([expected_recall(above, tied, k) for k in RECALL_CUTOFFS], axis=1)
    (first, *others), _ = bootstrapped_means(values, [one.molecule for one in lists])
    shown = f"{100 * first.value:.1f} ({100 * first.low:.1f}-{100 * first.high:.1f})"
    return " / ".join([shown, *(f"{100 * other.value:.1f}" for other in others)])


def meanings(model, ranking):
    """{score: of a list its (scores (n,), probabilities (n,))}."""
    cosine_calibration, ranker = load_model(model).calibration, load_ranker(model)

    def calibrated(scores, calibration):
        return scores, candidate_probabilities(scores, calibration, n_candidates=len(scores))

    def cosine(one):
        return calibrated(one.evidence.values["cosine"], cosine_calibration)

    def fused(one):
        fusion, values = ranker.fusion(one.evidence.query.n_spectra), one.evidence.values
        return calibrated(fusion.fuse(values["cosine"], values["fragment_score"]), fusion.calibration)

    def whole(one):
        scored = ranking.score(one.evidence)
        return scored.score, ranking.probability(scored)

    return {"by cosine": cosine, "without reference spectra": fused, DEFAULT: whole}


def best_hits(lists, meaning):
    """Arrays (n,) of the best hits: probability, and how likely they are right where several tie."""
    found = []
    for one in lists:
        if len(one.evidence):
            scores, probability = meaning(one)
            found.append((probability.max(), expected_recall(*place(one, scores), 1)))
    return np.transpose(found)


def with_and_without(lists):
    """Each list twice, with its truth and without it; those that lack it once."""
    return [*(one for one in lists if one.truth >= 0), *(one.without_truth() for one in lists)]


def table(title, sets, rows):
    """Print rows {name: a cell for each set}."""
    print(f"\n| {title} | {' | '.join(sets)} |\n|{' --- |' * (len(sets) + 1)}")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def evidence_table(sets, ranking):
    """What each kind of evidence gives."""
    rankings = {name: without(ranking, kinds) for name, kinds in WITHOUT.items()} | {"all: the default": ranking}
    rows = {name: [recall_cell(lists, each) for lists in sets.values()] for name, each in rankings.items()}
    counts = {name: (len(lists), len({one.molecule for one in lists})) for name, lists in sets.items()}
    table("evidence", [f"{n} {name}, {molecules} molecules" for name, (n, molecules) in counts.items()], rows)


def probability_tables(sets, model, ranking):
    """Whether probabilities mean something."""
    stated = {
        name: [best_hits(with_and_without(lists), meaning) for lists in sets.values()]
        for name, meaning in meanings(model, ranking).items()
    }

    def listed(one):
        scored = ranking.score(one.evidence)
        return scored.score, ranking.probability_if_listed(scored)

    holding = [[one for one in lists if one.truth >= 0] for lists in sets.values()]
    errors = stated | {"`probability_if_listed`": [best_hits(lists, listed) for lists in holding]}
    rows = {name: [f"{expected_calibration_error(*hits):.3f}" for hits in found] for name, found in errors.items()}
    table("expected calibration error", sets, rows)

    bins = [{row.low: row for row in reliability_table(*hits)} for hits in stated[DEFAULT]]
    rows = {}
    for low in sorted(set().union(*bins)):
        found = [each.get(low) for each in bins]
        cells = [f"{row.n}: {row.probability:.3f}, {row.correct:.3f}" if row else "" for row in found]
        rows[f"{low:.1f} to {low + 0.1:.1f}"] = cells
    table("probability", [f"{name}: hits, their mean, right" for name in sets], rows)

    rows = {}
    for least in LEAST:
        found = [precision_and_coverage(*hits, least) for hits in stated[DEFAULT]]
        rows[f"{least}"] = [f"{right:.0%} of {share:.1%}" if share else "" for right, share in found]
    table("`--min-probability`", [f"{name}: right, of those answered" for name in sets], rows)


def coverage_table(sets, ranking):
    """How often answer sets hold the truth, and how many candidates they have."""
    rows = {f"{coverage}": [] for coverage in COVERAGES}
    for lists in sets.values():
        holding = [(one, ranking.score(one.evidence)) for one in lists if one.truth >= 0]
        for coverage in COVERAGES:
            found = [(one.truth, ranking.answer_set(scored, coverage)) for one, scored in holding]
            held, size = np.mean([(members[truth], members.sum()) for truth, members in found], axis=0)
            rows[f"{coverage}"].append(f"{held:.1%}, {size:.1f}")
    table("`--coverage`", [f"{name}: hold a listed truth, mean size" for name in sets], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--set", action="append", nargs=4, required=True, metavar=("NAME", "SPECTRA", "INDEX", "FIELD"))
    options = parser.parse_args()
    sets = {}
    for name, *files in options.set:
        spectra, index, field = (None if each == "-" else each for each in files)
        sets[name] = list(answered(spectra, index, field, options.model))
    ranking = find_ranking(options.model)
    evidence_table(sets, ranking)
    probability_tables(sets, options.model, ranking)
    coverage_table(sets, ranking)


if __name__ == "__main__":
    main()
