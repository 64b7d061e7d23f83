import dataclasses

import numpy as np
import pytest

from specbridge_tools.errors import DataError
from specbridge_tools.hits.probability import PARAMETERS
from specbridge_tools.ranking.evidence import LINEAR
from specbridge_tools.ranking.training import weights as module
from specbridge_tools.reference.evidence import ANALOG, SAME_MOLECULE


def with_values(one, *, is_known=False, **of_truth):
    """The list with fixed values of its truth and 0 of the others, by kind."""
    values = dict(one.evidence.values)
    for kind, value in of_truth.items():
        values[kind] = np.zeros(len(one.evidence))
        values[kind][one.truth] = value
    return dataclasses.replace(one, evidence=dataclasses.replace(one.evidence, values=values), is_known=is_known)


def without_references(one):
    return with_values(one, **dict.fromkeys((*SAME_MOLECULE, *ANALOG), 0.0))


def test_what_speaks_for_the_truth_weighs_much_and_what_speaks_against_it_little(make_lists):
    nothing = [without_references(one) for one in make_lists(40)]
    alike = [with_values(one, is_known=True, same_ion=0.3) for one in map(without_references, make_lists(40, seed=1))]
    fit = module.fit_sum([*nothing, *alike])
    assert fit.reference["weights"]["same_ion"] == max(module.FACTORS) * LINEAR["same_ion"]
    # likeness to wrong candidates: what is known would gain by more weight, what is not loses by it
    misleading = [with_values(one, same_ion=-2.0, analog_max=0.5) for one in nothing]
    less = module.fit_sum([*misleading, *alike]).reference["weights"]
    assert less["same_ion"] <= max(module.FACTORS) * LINEAR["same_ion"] / 2
    assert less["analog_max"] == max(module.FACTORS) * LINEAR["analog_max"]


def test_sums_are_calibrated(make_lists):
    fits = module.fit_sums([*make_lists(40), *make_lists(20, n_spectra=3, seed=7)])
    assert fits["group"].fusion != fits["single"].fusion
    config = fits["single"].config()
    assert set(config["calibration"]) == {"first", *PARAMETERS}
    assert set(config["reference"]["calibration"]) == set(PARAMETERS)
    assert set(module.fit_cosine_calibration(make_lists(20))) == set(PARAMETERS)


def test_without_groups_theirs_is_the_sum_of_single_spectra(make_lists):
    fits = module.fit_sums(make_lists(20))
    assert fits["group"] is fits["single"]


def test_lists_without_truth_determine_no_sum(make_lists):
    with pytest.raises(DataError, match="no list of one spectrum holds its truth"):
        module.fit_sums([one.without_truth() for one in make_lists(20)])
