import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from specbridge_tools.bridge import training
from specbridge_tools.bridge.finetune import write_history
from specbridge_tools.bridge.training import TrainingOptions, schedule, train
from specbridge_tools.bridge.validation import expected_metrics, rank_among_candidates
from specbridge_tools.errors import DataError, MismatchError

OPTIONS = TrainingOptions(
    losses={"candidate": 1.0, "infonce": 0.5, "cosine": 0.5}, epochs=4, batch_size=16, learning_rate=3e-3, n_decoys=5
)


def run(make_model, pairs, checkpoint, *, options=OPTIONS, resume=False, **model):
    made = make_model(**model)
    history = train(made, pairs, pairs, options, checkpoint=checkpoint, fingerprint={"data": "a"}, resume=resume)
    return made, history


def header_of(history, path):
    write_history(history, path)
    return path.read_text().splitlines()[0]


def without_time(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


@pytest.mark.slow
def test_training_learns_to_rank(make_model, pairs, tmp_path):
    model = make_model("toy:dimension=64", dropout=0.0)
    before = rank_among_candidates(model, pairs)["recall@1"]
    calm = training.Augmentation(peak_dropout=0.1, intensity_jitter=0.1, mz_jitter_ppm=0)
    options = dataclasses.replace(OPTIONS, epochs=25, learning_rate=1e-2, augmentation=calm)
    history = train(model, pairs, pairs, options, checkpoint=tmp_path / "c", fingerprint={})
    assert before < 0.4
    assert rank_among_candidates(model, pairs)["recall@1"] > 0.9
    assert history[-1]["train_loss"] < history[0]["train_loss"]


@pytest.mark.slow
@pytest.mark.parametrize("killed_in", ["training", "checkpoint"])
def test_a_killed_run_goes_on_to_the_same_result(make_model, pairs, tmp_path, monkeypatch, killed_in):
    whole, history = run(make_model, pairs, tmp_path / "whole")
    name = "_train_epoch" if killed_in == "training" else "save_checkpoint"
    original, calls = getattr(training, name), []

    def killed(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(training, name, killed)
        with pytest.raises(KeyboardInterrupt):
            run(make_model, pairs, tmp_path / "parts")
    # another start, so that everything has to come from the checkpoint
    resumed, continued = run(make_model, pairs, tmp_path / "parts", resume=True, seed=99)
    assert without_time(continued) == without_time(history)
    assert header_of(continued, tmp_path / "continued.tsv") == header_of(history, tmp_path / "whole.tsv")
    for (name, tensor), other in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(tensor, other), name


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 6, 9])
def test_a_run_that_a_signal_ends_goes_on_within_the_epoch(make_model, pairs, tmp_path, monkeypatch, step):
    whole, history = run(make_model, pairs, tmp_path / "whole")
    original, calls = training.make_batch, []

    def ended(*args, **kwargs):
        calls.append(1)
        if len(calls) == step:
            raise SystemExit(143)
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(training, "make_batch", ended)
        with pytest.raises(SystemExit):
            run(make_model, pairs, tmp_path / "parts")
        n_before = len(calls)
        step = 0
        resumed, continued = run(make_model, pairs, tmp_path / "parts", resume=True, seed=99)
    # but for the one that was begun, no step is taken twice: 4 epochs of 60 spectra in batches of 16
    assert (n_before, len(calls)) == (len(calls) - (16 - n_before + 1), 17)
    assert without_time(continued) == without_time(history)
    for (name, tensor), other in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(tensor, other), name


@pytest.mark.slow
def test_progress_counts_epochs_and_names_the_metrics(make_model, pairs, tmp_path):
    class Display:
        done, notes = 0.0, {}

        def advance(self, amount=1):
            self.done += amount

        def note(self, **fields):
            self.notes = fields

    display = Display()
    train(make_model(), pairs, pairs, OPTIONS, checkpoint=tmp_path / "c", fingerprint={}, display=display)
    assert display.done == pytest.approx(4)
    assert display.notes["epoch"] == 4
    assert {"loss", "recall@1", "recall@5", "recall@20", "mrr"} <= set(display.notes)


@pytest.mark.slow
def test_resume_refuses_other_data(make_model, pairs, tmp_path):
    run(make_model, pairs, tmp_path / "c", options=dataclasses.replace(OPTIONS, epochs=1))
    with pytest.raises(MismatchError, match="started with data = a, now it is b"):
        train(make_model(), pairs, pairs, OPTIONS, checkpoint=tmp_path / "c", fingerprint={"data": "b"}, resume=True)


@pytest.mark.slow
def test_the_best_epoch_is_kept_and_patience_ends_the_run(make_model, pairs, tmp_path, monkeypatch):
    scores = iter([0.3, 0.5, 0.4, 0.2, 0.1])
    states = []

    def metrics(model, pairs):
        states.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return {"mrr": next(scores)}

    monkeypatch.setattr(training, "rank_among_candidates", metrics)
    model, history = run(make_model, pairs, tmp_path / "c", options=dataclasses.replace(OPTIONS, epochs=9, patience=2))
    assert [row["mrr"] for row in history] == [0.3, 0.5, 0.4, 0.2]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, states[1][name]), name


@pytest.mark.slow
def test_without_validation_the_weights_are_those_of_the_last_epoch(make_model, pairs, tmp_path):
    model = make_model()
    history = train(model, pairs, None, OPTIONS, checkpoint=tmp_path / "c", fingerprint={})
    assert [set(row) for row in history] == [{"epoch", "train_loss", "seconds"}] * OPTIONS.epochs
    last = load_file(tmp_path / "c")
    for name, tensor in model.stored_state().items():
        assert torch.equal(tensor, last[f"model.{name}"]), name


def test_the_best_epoch_by_another_metric(make_model, pairs, tmp_path, monkeypatch):
    rows = iter([{"mrr": 0.9, "recall@5": 0.1}, {"mrr": 0.1, "recall@5": 0.8}, {"mrr": 0.5, "recall@5": 0.3}])
    states = []

    def metrics(model, pairs):
        states.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return next(rows)

    monkeypatch.setattr(training, "rank_among_candidates", metrics)
    options = dataclasses.replace(OPTIONS, epochs=3, select_by="recall@5")
    model, _ = run(make_model, pairs, tmp_path / "c", options=options)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, states[1][name]), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "model", "moved"),
    [
        ({"train_projector": False}, {"molecule_head_depth": 1}, {"encoder", "molecule_head", "log_scale"}),
        ({"train_molecule_head": False}, {"molecule_head_depth": 1}, {"encoder", "projector", "log_scale"}),
        ({"unfrozen_blocks": 0}, {}, {"projector", "log_scale"}),
    ],
)
def test_only_what_is_chosen_is_trained(make_model, pairs, tmp_path, changes, model, moved):
    before = make_model(**model).state_dict()
    options = dataclasses.replace(OPTIONS, epochs=1, **changes)
    after = run(make_model, pairs, tmp_path / "c", options=options, **model)[0].state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == moved


def test_a_loss_that_is_not_finite_is_an_error(make_model, pairs, tmp_path):
    options = dataclasses.replace(OPTIONS, losses={"cosine": float("nan")})
    with pytest.raises(DataError, match="lower --learning-rate"):
        run(make_model, pairs, tmp_path / "c", options=options)


def test_schedule_rises_and_falls():
    assert schedule(0.0, 0.1) < 0.02
    assert schedule(0.1, 0.1) == pytest.approx(1)
    assert schedule(0.55, 0.1) == pytest.approx(0.5)
    assert schedule(1.0, 0.1) == pytest.approx(0)


def test_expected_metrics_over_ties():
    # one above, three tied with the truth: ranks 2, 3 or 4
    recall_1, recall_5, recall_20, mrr = expected_metrics(np.array([0.5, 0.9, 0.5, 0.5, 0.1]))
    assert (recall_1, recall_5, recall_20) == (0, 1, 1)
    assert mrr == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)
    assert expected_metrics(np.array([0.5, 0.5]))[0] == 0.5
