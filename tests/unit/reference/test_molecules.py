import numpy as np
import pytest

from specbridge_tools.encoders.molecular.toy import ToyMoleculeEncoder
from specbridge_tools.encoders.registry import MOLECULE_ENCODERS
from specbridge_tools.errors import DataError, MismatchError
from specbridge_tools.reference.molecules import Featuriser, find_encoder, reads_counts, unit_norm

SMILES = ["CCO", "c1ccccc1O", "CCN"]


@pytest.mark.parametrize("name", ["default", "toy"])
def test_features_are_the_same_alone_and_among_others(name):
    encoder = MOLECULE_ENCODERS.create(name)
    features = Featuriser(encoder).of_smiles([*SMILES, "CCO"])
    assert features.bits.shape == (4, 4096)
    assert set(features.bits.data.tolist()) == {1}
    assert np.square(features.vectors, dtype=float).sum(axis=1) == pytest.approx([1] * 4)
    for row, text in enumerate(SMILES):
        alone = Featuriser(encoder).of_smiles([text])
        assert alone.vectors[0].tolist() == features.vectors[row].tolist()
        assert alone.bits.indices.tolist() == features.bits[row].indices.tolist()
    assert features.vectors[:3].tolist() == unit_norm(encoder.encode(SMILES)).tolist()
    assert len(Featuriser(encoder).of_smiles([])) == 0


def test_what_cannot_be_read_is_named():
    with pytest.raises(DataError):
        Featuriser(ToyMoleculeEncoder()).of_smiles(["C1"])


def test_which_encoders_read_the_counts():
    assert reads_counts(MOLECULE_ENCODERS.create("default"))
    assert not reads_counts(MOLECULE_ENCODERS.create("morgan:radius=3"))
    assert not reads_counts(ToyMoleculeEncoder())


def test_an_encoder_is_found_by_name_or_is_the_one_that_ships():
    shipped = MOLECULE_ENCODERS.create("default")
    assert find_encoder(shipped.name, shipped.weights_sha256, "ref.h5").weights_sha256 == shipped.weights_sha256
    toy = ToyMoleculeEncoder(dimension=16)
    assert find_encoder(toy.name, toy.weights_sha256, "ref.h5").dimension == 16
    with pytest.raises(MismatchError, match="chemberta:x"):
        find_encoder("chemberta:x", "0" * 64, "ref.h5")


def test_a_vector_of_norm_0_stays():
    assert unit_norm(np.array([[3.0, 4.0], [0, 0]])).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
