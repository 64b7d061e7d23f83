"""How a ranking does on the molecules that its cross-fitted networks did not see, as a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specbridge_tools.evaluation.calibration import expected_calibration_error
from specbridge_tools.ranking.training.fit import RankingFit, expected_ranks, recall_of
from specbridge_tools.ranking.training.lists import LabelledList
from specbridge_tools.streams import output_text

COLUMNS = ("kind", "metric", "value", "lists")
KINDS = ("single", "group")
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
    """(single or group, metric, value, number of lists): recall by rank, calibration and answer sets.

    `ece_if_listed` is the expected calibration error of the best hits' `probability_if_listed`; `coverage@c` the share
    of answer sets that hold the truth, `set_size@c` their mean size.
    """
    rows: list[tuple[str, str, float, int]] = []
    for kind in KINDS:
        chosen = [row for row, one in enumerate(lists) if one.is_group == (kind == "group") and one.truth >= 0]
        if chosen:
            own, scores = [lists[row] for row in chosen], [fit.scores[row] for row in chosen]
            metrics = {**_recall(own, scores), **_listed(fit, own, scores)}
            rows += [(kind, name, value, len(chosen)) for name, value in metrics.items()]
    return rows


def _recall(lists: Sequence[LabelledList], scores: Sequence[NDArray[np.float64]]) -> dict[str, float]:
    ranks = expected_ranks(lists, scores)
    found = {f"recall@{k}": value for k, value in recall_of(ranks).items()}
    return {**found, "mrr": float(np.mean(1 / ranks))}


def _listed(fit: RankingFit, lists: Sequence[LabelledList], scores: Sequence[NDArray[np.float64]]) -> dict[str, float]:
    stated, right = [], []
    held: dict[float, list[tuple[bool, int]]] = {coverage: [] for coverage in COVERAGES}
    for one, score in zip(lists, scores, strict=True):
        n_spectra = one.evidence.query.n_spectra
        probability = fit.ranking.probability_if_listed(score, n_spectra=n_spectra)
        best = int(np.argmax(score))
        stated.append(probability[best])
        right.append(best == one.truth)
        for coverage, sets in held.items():
            members = fit.ranking.answer_set(probability, coverage, n_spectra=n_spectra)
            sets.append((bool(members[one.truth]), int(members.sum())))
    metrics = {"ece_if_listed": expected_calibration_error(stated, right)}
    for coverage, sets in held.items():
        holds, sizes = np.mean(sets, axis=0).tolist()
        metrics |= {f"coverage@{coverage:g}": holds, f"set_size@{coverage:g}": sizes}
    return metrics
