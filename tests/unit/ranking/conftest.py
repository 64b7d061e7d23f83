import dataclasses

import numpy as np
import pytest

from specbridge_tools.ranking.evidence import OWN, REFERENCE, Evidence, QueryConditions
from specbridge_tools.ranking.training.lists import LabelledList


def evidence(n, seed, *, n_spectra=1, truth=None):
    """A list of n candidates; the truth, where there is one, tends to have more of everything."""
    rng = np.random.default_rng(seed)
    values = {kind: rng.normal(size=n) for kind in OWN} | {kind: rng.uniform(0, 0.5, n) for kind in REFERENCE}
    if truth is not None:
        for value in values.values():
            value[truth] += 1
    formulas = [("C6H6", "CH4O", "H2O")[number] for number in rng.integers(0, 3, n)]
    return Evidence(values, formulas, QueryConditions(n_spectra, 12.0))


def labelled(n_lists, *, n_spectra=1, seed=0):
    rng = np.random.default_rng(seed)
    lists = []
    for number in range(n_lists):
        n = int(rng.integers(3, 25))
        truth = int(rng.integers(n))
        one = evidence(n, seed * 1000 + number, n_spectra=n_spectra, truth=truth)
        lists.append(LabelledList(one, truth, f"MOLECULE{number // 2}"))
    return lists


@pytest.fixture
def make_evidence():
    return evidence


@pytest.fixture
def make_lists():
    return labelled


@pytest.fixture
def reorder():
    """The same list in another order."""

    def reordered(one, order):
        values = {kind: value[order] for kind, value in one.values.items()}
        return dataclasses.replace(one, values=values, formulas=[one.formulas[row] for row in order])

    return reordered
