"""How a ranking does on the molecules that its cross-fitted networks did not see, as a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

import numpy as np

from specbridge_tools.evaluation.calibration import expected_calibration_error
from specbridge_tools.ranking.training.fit import RankingFit, expected_ranks, recall_of
from specbridge_tools.ranking.training.lists import LabelledList, list_weights
from specbridge_tools.streams import output_text

COLUMNS = ("kind", "metric", "value", "lists")
KINDS = ("single", "single_unknown", "single_known", "group", "group_unknown", "group_known")
COVERAGES = (0.8, 0.9, 0.95)


def write_report(
    fit: RankingFit, lists: Sequence[LabelledList], path: str | os.PathLike[str], *, force: bool = False
) -> None:
    """Write `report_rows` as TSV."""
    with output_text(path, force=force) as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(COLUMNS)
        for kind, metric, value, n in report_rows(fit, lists):
            table.writerow((kind, metric, f"{value:.4f}", n))


def report_rows(fit: RankingFit, lists: Sequence[LabelledList]) -> list[tuple[str, str, float, int]]:
    """(one of `KINDS`, metric, value, number of lists): recall by rank, calibration and answer sets.

    Recall, answer sets and `ece_if_listed`, the expected calibration error of the best hits' `probability_if_listed`,
    are of the lists that hold their truth. `ece` is that of `probability`, each of them once with its truth and once
    without. `coverage@c` is the share of answer sets that hold the truth, `set_size@c` their mean size. Lists count as
    in the training: `training.lists.list_weights`.
    """
    rows: list[tuple[str, str, float, int]] = []
    for kind in KINDS:
        chosen = [row for row, one in enumerate(lists) if one.truth >= 0 and _is_of(one, kind)]
        if chosen:
            metrics = {**_recall(fit, lists, chosen), **_calibration(fit, lists, chosen), **_sets(fit, lists, chosen)}
            rows += [(kind, name, value, len(chosen)) for name, value in metrics.items()]
    return rows


def _is_of(one: LabelledList, kind: str) -> bool:
    return kind in ("group" if one.is_group else "single", one.kind)


def _recall(fit: RankingFit, lists: Sequence[LabelledList], rows: list[int]) -> dict[str, float]:
    own = [lists[row] for row in rows]
    ranks, weights = expected_ranks(own, [fit.scored[row] for row in rows]), list_weights(own)
    found = {f"recall@{k}": value for k, value in recall_of(ranks, weights).items()}
    return {**found, "mrr": float(np.average(1 / ranks, weights=weights))}


def _calibration(fit: RankingFit, lists: Sequence[LabelledList], rows: list[int]) -> dict[str, float]:
    listed, right, half, half_right = [], [], [], []
    for row in rows:
        one, scored, without = lists[row], fit.scored[row], fit.without_truth[row]
        best = int(np.argmax(scored.score))
        listed.append(fit.ranking.probability_if_listed(scored)[best])
        right.append(best == one.truth)
        half.append(fit.ranking.probability(scored)[best])
        half_right.append(best == one.truth)
        if len(without.score):
            half.append(fit.ranking.probability(without).max())
            half_right.append(False)
    return {
        "ece_if_listed": expected_calibration_error(listed, right),
        "ece": expected_calibration_error(half, half_right),
    }


def _sets(fit: RankingFit, lists: Sequence[LabelledList], rows: list[int]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    weights = list_weights([lists[row] for row in rows])
    for coverage in COVERAGES:
        sets = []
        for row in rows:
            members = fit.ranking.answer_set(fit.scored[row], coverage)
            sets.append((bool(members[lists[row].truth]), int(members.sum())))
        holds, size = np.average(sets, axis=0, weights=weights).tolist()
        metrics |= {f"coverage@{coverage:g}": holds, f"set_size@{coverage:g}": size}
    return metrics
