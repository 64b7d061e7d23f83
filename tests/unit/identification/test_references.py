"""How evidence of reference spectra joins the score, see `identification.references`."""

import pytest
from builders import spectrum

from specbridge_tools.encoders.molecular.morgan import fit_projection
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import MismatchError
from specbridge_tools.identification.references import References, open_referee, reference_fusion
from specbridge_tools.ranking.evidence import LINEAR, REFERENCE
from specbridge_tools.reference.build import build_reference

ONE = {"weights": {"same_ion": 4.0}, "calibration": {"scale": 1.0}}
SEVERAL = {"weights": {"same_ion": 2.0}}


def test_a_model_says_how_much_reference_spectra_weigh_for_one_spectrum_and_for_several():
    config = {"reference": ONE, "group": {"reference": SEVERAL}}
    one, several = reference_fusion(config, 1), reference_fusion(config, 3)
    assert (one.weights, one.calibration) == (ONE["weights"], ONE["calibration"])
    assert (several.weights, several.calibration) == (SEVERAL["weights"], None)


def test_a_model_may_say_it_by_a_former_name():
    config = {"reference": {"weights": {"other_polarity_losses": 3.0, "same_ion": 5.0}}}
    assert reference_fusion(config, 1).weights == {"other_polarity_fragments": 3.0, "same_ion": 5.0}


def test_a_model_that_does_not_say_has_the_weights_from_which_a_ranking_sets_out():
    for config in ({}, {"group": {}}, {"group": None}, {"reference": None}):
        for n_spectra in (1, 2):
            fusion = reference_fusion(config, n_spectra)
            assert fusion.weights == {kind: LINEAR[kind] for kind in REFERENCE if kind in LINEAR}
            assert fusion.calibration is None


def test_an_encoder_whose_name_does_not_say_where_its_weights_are(tmp_path):
    """As one that was fitted to other molecules than the one that ships."""
    fit_projection(["C" * n for n in range(1, 40)], tmp_path / "fitted", bits=128, dimension=12)
    spec = f"morgan:file={tmp_path / 'fitted'}"
    encoder = MOLECULE_ENCODERS.create(spec)
    standards = tmp_path / "standards.mgf"
    standards.write_text(
        "BEGIN IONS\nTITLE=A\nPEPMASS=152.0706\nADDUCT=[M+H]+\nSMILES=CC(=O)Nc1ccc(O)cc1\n110.06 9\n65.04 5\nEND IONS\n"
    )
    build_reference([standards], tmp_path / "ref.h5", encoder=encoder)
    references = References((str(tmp_path / "ref.h5"),))
    with pytest.raises(MismatchError, match="which was not found"):
        open_referee(references, encoder_sha256=encoder.weights_sha256)
    referee = open_referee(references, encoder_sha256=encoder.weights_sha256, encoder=spec)
    query = spectrum([(110.06, 9), (65.04, 4)], 152.0706, id="Q", polarity=1)
    found = referee.reference.match([query]).evidence(
        ["RZVAJINKPMORJF"], referee.reference.features(["CC(=O)Nc1ccc(O)cc1"])
    )
    assert found.column("same_ion")[0] > 0.9
    assert found.column("analog_cosine")[0] == pytest.approx(1, abs=1e-5)
    with pytest.raises(MismatchError, match=r"ref\.h5"):
        open_referee(references, encoder_sha256=encoder.weights_sha256, encoder="toy")
