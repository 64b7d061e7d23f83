"""How evidence of reference spectra joins the score, see `identification.references`."""

from specbridge_tools.identification.references import reference_fusion
from specbridge_tools.ranking.evidence import LINEAR, REFERENCE

ONE = {"weights": {"same_ion": 4.0}, "calibration": {"scale": 1.0}}
SEVERAL = {"weights": {"same_ion": 2.0}}


def test_a_model_says_how_much_reference_spectra_weigh_for_one_spectrum_and_for_several():
    config = {"reference": ONE, "group": {"reference": SEVERAL}}
    one, several = reference_fusion(config, 1), reference_fusion(config, 3)
    assert (one.weights, one.calibration) == (ONE["weights"], ONE["calibration"])
    assert (several.weights, several.calibration) == (SEVERAL["weights"], None)


def test_a_model_that_does_not_say_has_the_weights_from_which_a_ranking_sets_out():
    for config in ({}, {"group": {}}, {"group": None}, {"reference": None}):
        for n_spectra in (1, 2):
            fusion = reference_fusion(config, n_spectra)
            assert fusion.weights == {kind: LINEAR[kind] for kind in REFERENCE if kind in LINEAR}
            assert fusion.calibration is None
