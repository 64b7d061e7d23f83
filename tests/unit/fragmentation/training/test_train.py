import numpy as np
import pytest
import torch

from specbridge_tools.fragmentation.network.ranker import Ranker
from specbridge_tools.fragmentation.network.torch_network import TrainableNetwork
from specbridge_tools.fragmentation.peaks.prepare import prepare_peaks
from specbridge_tools.fragmentation.training.train import Example, TrainingOptions, cut, train
from specbridge_tools.spectra.spectrum import Spectrum

PARACETAMOL = np.array([43.0178, 65.0386, 93.0335, 110.0600, 134.0600, 152.0706])
OTHERS = ["COC(=O)c1ccccc1N", "NCC(=O)c1ccc(O)cc1", "Cc1ccc([N+](=O)[O-])cc1C", "CCOc1ccc(N=O)cc1"]


@pytest.fixture
def examples():
    spectrum = Spectrum("p", 152.0706, PARACETAMOL, np.array([3.0, 2, 4, 100, 3, 10]), adduct="[M+H]+")
    ester = Spectrum("m", 152.0706, np.array([92.0495, 120.0444]), np.array([30.0, 100]), adduct="[M+H]+")
    amide, (acid, *others) = "CC(=O)Nc1ccc(O)cc1", OTHERS
    return [
        Example("A", cut(amide), [acid, *others], [prepare_peaks(spectrum)]),
        Example("B", cut(acid), [amide, *others], [prepare_peaks(ester)]),
    ]


def network(dropout=0.0):
    torch.manual_seed(0)
    return TrainableNetwork(atom_size=8, hidden_size=12, last_size=8, dropout=dropout)


@pytest.mark.slow
def test_training_lowers_the_loss_and_ranks_the_truth_first(examples, ranker):
    trained = network()
    options = TrainingOptions(epochs=50, molecules=2, learning_rate=1e-2, likelihood_weight=0.0)

    def scores(example):
        learned = Ranker([trained.weights()], ranker.config)
        known = [learned.encode(candidate) for candidate in example.candidates()]
        return [evidence.score for evidence in learned.evidence(known, example.peaks)]

    def loss():
        return sum(-score[0] + np.log(np.exp(score).sum()) for example in examples for score in scores(example))

    before = loss()
    train(trained, examples, options)
    assert loss() < 0.5 * before
    assert [np.argmax(score) for example in examples for score in scores(example)] == [0, 0]


@pytest.mark.slow
def test_a_teacher_is_learned_where_the_truth_says_nothing(examples, ranker):
    teacher = Ranker([network().weights()], ranker.config)
    torch.manual_seed(5)
    trained = TrainableNetwork(atom_size=8, hidden_size=12, last_size=8)
    options = TrainingOptions(
        epochs=30, molecules=2, learning_rate=1e-2, likelihood_weight=0.0, hide_energy=0.0, teacher_share=1.0
    )

    def distance():
        both = [teacher, Ranker([trained.weights()], ranker.config)]
        loss = 0.0
        for example in examples:
            known = [[one.encode(candidate) for candidate in example.candidates()] for one in both]
            wanted, learned = (
                one.evidence(candidates, example.peaks)[0].score for one, candidates in zip(both, known, strict=True)
            )
            wanted, learned = (score - np.log(np.exp(score).sum()) for score in (wanted, learned))
            loss += (np.exp(wanted) * (wanted - learned)).sum()
        return loss

    before = distance()
    train(trained, examples, options, teacher=teacher)
    assert distance() < 0.2 * before


@pytest.mark.slow
def test_a_run_that_is_resumed_ends_as_one_that_was_not_interrupted(examples, tmp_path):
    options = TrainingOptions(epochs=4, molecules=1, drop_peaks=0.3, move_intensity=0.3)
    uninterrupted, interrupted, resumed = network(0.2), network(0.2), network(0.2)
    train(uninterrupted, examples, options)

    def stop(epoch, loss):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(interrupted, examples, options, after_epoch=stop, state_path=tmp_path / "state")
    train(resumed, examples, options, state_path=tmp_path / "state")
    for name, value in uninterrupted.weights().items():
        assert value.tobytes() == resumed.weights()[name].tobytes(), name


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"drop_peaks": 1.5}, {"learning_rate": 0.0}])
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="counts and learning rate"):
        TrainingOptions(**wrong)
