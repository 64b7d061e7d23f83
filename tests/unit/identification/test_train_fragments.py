import numpy as np

from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.training.train import CONFIG
from specbridge_tools.identification import train_fragments as module
from specbridge_tools.records import Tally
from specbridge_tools.spectra.spectrum import Spectrum


def spectrum(name, **metadata):
    return Spectrum(name, 152.0706, np.array([110.06]), np.ones(1, np.float32), adduct="[M+H]+", metadata=metadata)


def test_what_is_held_back_is_not_trained_on_whatever_names_it(tmp_path, monkeypatch):
    """A molecule that only an InChIKey names cannot be looked at after an epoch, but it must not be learned either."""
    trained = {}

    def train_networks(molecules, isomers, recipe, *, validation, **others):
        trained.update(molecules=set(molecules), validation=set(validation))
        return Ranker([], CONFIG)

    monkeypatch.setattr(module, "train_networks", train_networks)
    monkeypatch.setattr(module, "index_files", lambda index: [])
    tally = Tally(noun="spectra")
    spectra = [
        spectrum("amide", smiles="CC(=O)Nc1ccc(O)cc1"),
        spectrum("alcohol", smiles="CCO"),
        spectrum("acid", smiles="CC(=O)[O-].[Na+]"),
        spectrum("benzene", smiles="c1ccccc1"),
    ]
    held_back = [spectrum("a", inchikey="RZVAJINKPMORJF-UHFFFAOYSA-N"), spectrum("b", smiles="CC(=O)O")]
    training = module.FragmentTraining(iter(spectra), tmp_path, tally)
    module.train_fragments(training, held_back=held_back, index="", start=None)
    assert trained == {"molecules": {"LFQSCWFLJHTTHZ", "UHOVQNZJYSORNB"}, "validation": {"QTBSBXVTEAMEQO"}}
    assert tally.reasons == {module.HELD_BACK: 2}
